exec "$NINES" --store "$OUT" ingest requests "$INPUT" --service shop
