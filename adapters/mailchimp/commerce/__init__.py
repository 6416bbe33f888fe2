"""What a shop sells and to whom, in Mailchimp's e-commerce stores."""
