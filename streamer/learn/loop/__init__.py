"""Is a version on trial better than the one that serves?"""
