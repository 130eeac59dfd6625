"""The same journeys as HTML, readable on a phone, Chinese first."""
