"""Meta custom audiences: who may see a shop's advertisements because they allowed it."""
