"""Who a learner or an institution is: numbers that check themselves, and names in three scripts."""
