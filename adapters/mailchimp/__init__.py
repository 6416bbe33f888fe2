"""Mailchimp: the audience that a shop writes its newsletter to."""
