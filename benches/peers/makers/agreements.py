#!/usr/bin/env python3
"""Makes a month of requests at 15-second slices for many customers, their fees, and an agreement, to work credits out of.

Usage: agreements.py FOLDER [CUSTOMERS] [SERVICES] [ROWS] [SEED]   (needs `pip install duckdb`)

By default 500 customers x 20 services with 50 million rows between them, in September 2026: each pair has requests in some of its
172,800 slices. Of every ten services, five have one row in a hundred that tells of failures, the others one in 20, in 4, in 2, none, or
three in 4, so that all tiers of the credits occur where the rows are dense enough. Counts are drawn from hashes: the same files every
time. Then:

    nines --store STORE ingest requests FOLDER/requests.parquet --slice 15s
    nines --store STORE ingest fees FOLDER/fees.csv
    nines --store STORE apply FOLDER/agreement.yaml
    nines --store STORE credits 2026-09 -o credits.csv
"""
import os
import sys

import duckdb

folder = sys.argv[1]
customers, services, rows, seed = (
    int(sys.argv[place]) if len(sys.argv) > place else default
    for place, default in ((2, 500), (3, 20), (4, 50_000_000), (5, 1))
)
each = rows // (customers * services)
os.makedirs(folder, exist_ok=True)

db = duckdb.connect()
db.execute(f"""
    COPY (
        SELECT to_timestamp(1788220800 + (hash(customer, service, i, {seed}) % 172800) * 15) AS time, 'cloud' AS business,
               format('service-{{:02d}}', service) AS service, format('customer-{{:03d}}', customer) AS customer,
               CASE WHEN hash(i, service, customer, {seed}) % 100 < [1, 1, 1, 1, 1, 5, 25, 50, 0, 75][1 + service % 10]
                    THEN 502 ELSE 200 END AS status,
               1 + (hash(service, i, customer, {seed}) % 40)::BIGINT AS requests
        FROM range({customers}) c(customer), range({services}) s(service), range({each}) r(i)
    ) TO '{folder}/requests.parquet' (FORMAT parquet, COMPRESSION zstd)""")

with open(f"{folder}/fees.csv", "w") as file:
    file.write("period,customer,service,currency,amount,voucher_amount\n")
    for customer in range(customers):
        for service in range(services):
            file.write(f"2026-09,customer-{customer:03d},service-{service:02d},EUR,{100 + customer}.{service:02d},{service % 3}\n")

with open(f"{folder}/agreement.yaml", "w") as file:
    file.write("""apiVersion: nines/v1
kind: Agreement
metadata: {name: cloud, annotations: {nines/effective-from: 2026-01-01}}
spec:
  service: "service-*"
  party: service
  period: {duration: 1M, timeZone: UTC}
  slice: 15s
  measure: MeanErrorRate
  commitment: 99.99%
  credits: [{below: 99.99%, percent: 10}, {below: 99.00%, percent: 25}, {below: 95.00%, percent: 100}]
  exclusions: [Scheduled Maintenance]
  fees: {exclude: vouchers}
  claimWithin: 60d
""")
print(f"{folder}: {each * customers * services:,} rows")
