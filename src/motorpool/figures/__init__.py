"""What a person looks at: figures with their data as a table, words for those who cannot see them, and a
source."""
