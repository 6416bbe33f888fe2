"""The guests: one folder a platform, each seeing only the ports, the nouns and the errors."""
