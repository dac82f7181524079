"""From the rows of a mart to the rows of an answer: ratios get intervals, waits get curves, counts get words."""
