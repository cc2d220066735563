SELECT toUnixTimestamp(max(time)), max(service), max(endpoint), sum(status), sum(requests) FROM requests
