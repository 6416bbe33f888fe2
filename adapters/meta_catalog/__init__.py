"""Meta catalogs (destination): what is for sale, as items that advertisements and shops show."""
