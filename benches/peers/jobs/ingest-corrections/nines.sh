exec "$NINES" --store "$OUT" ingest requests "$INPUT" --batch corrections
