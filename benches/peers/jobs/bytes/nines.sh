"$NINES" --store "$OUT" ingest requests "$INPUT" > "$OUT.log"
rm "$OUT.log"
exec "$NINES" --store "$OUT" sql "SELECT count(*) AS rows, sum(requests) AS requests FROM requests" --format json
