#!/usr/bin/env python3
"""Writes objectives over the benchmark history of history.py, as one YAML file for `nines apply`.

Usage: objectives.py OUT.yaml [OBJECTIVES] [SERIES]

Every endpoint of history.py's SERIES (default 1,000) has an objective of its own, in turn with other targets, until there
are OBJECTIVES (default 1,000) of them.
"""
import sys

out = sys.argv[1]
objectives = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
series = int(sys.argv[3]) if len(sys.argv) > 3 else 1000

endpoints = [
    (f"service-{s % 20:02d}", f"/endpoint/{s // 20:03d}")
    for s in range(series)
    if (s // 20) % 5 != 4
]
with open(out, "w") as file:
    for number in range(objectives):
        service, endpoint = endpoints[number % len(endpoints)]
        slice_target = [0.99, 0.95, 0.999][number // len(endpoints) % 3]
        file.write(f"""---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: objective-{number:04d}
  labels: {{vela: availability}}
spec:
  service: {service}
  indicator:
    metadata: {{name: objective-{number:04d}}}
    spec:
      ratioMetric:
        rawType: success
        raw: {{metricSource: {{type: nines/availability, spec: {{business: chat, endpoint: {endpoint}}}}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Timeslices
  objectives: [{{target: 0.999, timeSliceTarget: {slice_target}, timeSliceWindow: 1m}}]
""")
print(f"{out}: {objectives} objectives")
