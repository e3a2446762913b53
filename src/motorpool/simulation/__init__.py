"""A scenario goes in, labelled results come out, are summarised and kept."""
