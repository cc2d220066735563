#!/usr/bin/env python3
"""Writes objectives over the history of history.py: as YAML for `nines apply`, and as a table for other engines.

Usage: objectives.py FOLDER [OBJECTIVES] [SERIES]

Writes FOLDER/objectives.yaml and FOLDER/objectives.csv (objective, service, endpoint, slice_target in thousandths). Every endpoint of
history.py's SERIES (default 1,000) has an objective of its own, in turn with other slice targets, until there are OBJECTIVES
(default 1,000) of them.
"""
import os
import sys

folder = sys.argv[1]
objectives = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
series = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
os.makedirs(folder, exist_ok=True)

endpoints = [
    (f"service-{s % 20:02d}", f"/endpoint/{s // 20:03d}")
    for s in range(series)
    if (s // 20) % 5 != 4
]
with open(f"{folder}/objectives.yaml", "w") as yaml, open(f"{folder}/objectives.csv", "w") as table:
    table.write("objective,service,endpoint,slice_target\n")
    for number in range(objectives):
        service, endpoint = endpoints[number % len(endpoints)]
        slice_target = [990, 950, 999][number // len(endpoints) % 3]
        table.write(f"objective-{number:04d},{service},{endpoint},{slice_target}\n")
        yaml.write(f"""---
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
  objectives: [{{target: 0.999, timeSliceTarget: {slice_target / 1000}, timeSliceWindow: 1m}}]
""")
print(f"{folder}: {objectives} objectives")
