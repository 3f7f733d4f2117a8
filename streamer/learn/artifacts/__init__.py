"""What learning leaves on disk: model folders, their manifests, held-out scores."""
