-- The exact fraction, not its rounded print.
SELECT customer, service, CAST(split_part(availability_exact, '/', 1) AS DOUBLE) / CAST(split_part(availability_exact, '/', 2) AS DOUBLE)
           AS availability, credit_percent, amount
FROM credits($period)
