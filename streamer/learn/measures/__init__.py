"""What several verbs measure by: shares, intervals, exact tests, threshold families."""
