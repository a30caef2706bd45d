/**
 * declarations: projects written as YAML files in CONFIG_DIR, read into the documents that the store would hold: tenants,
 * services, publications. Owns the two file formats, what is wrong in a file and where, and the reload.
 * Not here: serving them. A declared document is served as any other.
 */
export {};
