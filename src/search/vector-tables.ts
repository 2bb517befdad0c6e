type Storage = Pick<DurableObjectStorage, "sql" | "transactionSync">;

/**
 * The tables of vectors: those of the current model, and those of the former one, which serve until all memories are
 * embedded with the current one.
 */
export type VectorTable = "vectors" | "former_vectors";

const TABLES = ["vectors", "former_vectors"] as const satisfies readonly VectorTable[];

/** Returns the name of the table with what is known about the vectors of a table. */
export const stateTableOf = (table: VectorTable) =>
  table === "vectors" ? "vector_state" : "former_vector_state";

/** Keyed by sort key, which changes with every edit. Vectors cost money, so they are kept when the index is rebuilt. */
export function createVectorTables(sql: SqlStorage): void {
  for (const table of TABLES) {
    // `place` is null while the memory is not indexed; `vector` is null if the text can't be embedded.
    sql.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (sort_key TEXT PRIMARY KEY, place INTEGER, norm REAL, vector BLOB)`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS ${stateTableOf(table)} (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
    );
  }
}

/** Sets the place of the vectors of a memory. */
export function placeVectors(sql: SqlStorage, sortKey: string, place: number): void {
  for (const table of TABLES) sql.exec(`UPDATE ${table} SET place = ? WHERE sort_key = ?`, place, sortKey);
}

/** Removes the places of all vectors, because the memories are no longer indexed. */
export function unplaceVectors(sql: SqlStorage): void {
  for (const table of TABLES) sql.exec(`UPDATE ${table} SET place = NULL`);
}

/** Removes the vectors of the texts with these sort keys. */
export function removeVectors(sql: SqlStorage, sortKeys: readonly string[]): void {
  const keys = JSON.stringify(sortKeys);
  for (const table of TABLES)
    sql.exec(`DELETE FROM ${table} WHERE sort_key IN (SELECT value FROM json_each(?))`, keys);
}

/** Removes the vectors of the former model. */
export function removeFormerVectors(storage: Storage): void {
  storage.transactionSync(() => {
    dropTables(storage.sql, "former_vectors");
    createVectorTables(storage.sql);
  });
}

/**
 * Makes an embedder the current one, and returns the id of the former one if its vectors still serve. If the embedder
 * changes again before all memories are embedded, the vectors of the former one are kept, and those of the current one
 * are removed.
 */
export function openVectors(storage: Storage, embedderId: string): string | undefined {
  const { sql } = storage;
  const [current, former] = [embedderOf(sql, "vectors"), embedderOf(sql, "former_vectors")];
  if (current === embedderId) return former;

  storage.transactionSync(() => {
    if (former !== undefined) dropTables(sql, "vectors");
    if (former === embedderId) renameTables(sql, "former_vectors", "vectors");
    if (former === undefined && current !== undefined) {
      dropTables(sql, "former_vectors");
      renameTables(sql, "vectors", "former_vectors");
    }
    createVectorTables(sql);
    sql.exec("INSERT OR REPLACE INTO vector_state VALUES ('embedder', ?)", embedderId);
  });
  return embedderOf(sql, "former_vectors");
}

function dropTables(sql: SqlStorage, table: VectorTable): void {
  for (const name of [table, stateTableOf(table)]) sql.exec(`DROP TABLE IF EXISTS ${name}`);
}

function renameTables(sql: SqlStorage, from: VectorTable, to: VectorTable): void {
  sql.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
  sql.exec(`ALTER TABLE ${stateTableOf(from)} RENAME TO ${stateTableOf(to)}`);
}

/** Returns the id of the embedder of a table's vectors, or `undefined` if it has none. */
function embedderOf(sql: SqlStorage, table: VectorTable): string | undefined {
  const query = `SELECT value FROM ${stateTableOf(table)} WHERE name = 'embedder'`;
  return sql.exec<{ value: string }>(query).toArray()[0]?.value;
}
