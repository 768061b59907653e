"""Measures how well models color: metrics beside plain baselines and oracles, and a report with images."""
