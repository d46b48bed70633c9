"""The mean of a few values and its 95 % confidence interval."""
import math

# Two-sided 95 % quantiles of Student's distribution, from 1 degree of freedom on.
STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
           2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]


def interval(values):
    """The mean, and half the width of its 95 % confidence interval."""
    count = len(values)
    mean = sum(values) / count
    variance = sum((v - mean) ** 2 for v in values) / (count - 1)
    quantile = STUDENT[min(count - 1, len(STUDENT)) - 1]
    return mean, quantile * math.sqrt(variance / count)
