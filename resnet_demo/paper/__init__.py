"""The paper as data: its tables, its statements in our own words, and what this project has to hold against them."""
