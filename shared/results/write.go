package results

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/space"
)

const versionKey = "supermax.schema_version"

// Write puts a metrics file whole under its key. whole is the space with all parameters,
// each of which becomes a typed column; a study that narrows them writes the same columns.
// Rows belong to the attempt that the key names; there may be none, where every seed had
// stopped early.
func Write(ctx context.Context, bucket *objects.Bucket, key string, whole *space.Space, rows []Row) error {
	id, err := ParseKey(key)
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	data, err := encode(id, whole, rows)
	if err != nil {
		return fmt.Errorf("write metrics %s: %w", key, err)
	}
	if err := bucket.Write(ctx, key, data); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

func encode(id FileID, whole *space.Space, rows []Row) ([]byte, error) {
	for i := range rows {
		r := &rows[i]
		if got := (FileID{r.Study, r.Stage, r.Trial, r.Rung, r.Attempt}); got != id {
			return nil, fmt.Errorf("row %d: it belongs to %s", i, got.Key())
		}
	}
	return encodeRows("metrics", whole, columns(), func(r *Row) space.Assignment { return r.Params }, rows)
}

// encodeRows returns a file of the fixed columns and one for each parameter of whole, whose
// values params returns for a row.
func encodeRows[R any](name string, whole *space.Space, cols []column[R], params func(*R) space.Assignment, rows []R) ([]byte, error) {
	cols, err := withParams(cols, whole, params)
	if err != nil {
		return nil, err
	}
	out := make([]parquet.Row, len(rows))
	for i := range rows {
		if out[i], err = encodeRow(whole, cols, params(&rows[i]), &rows[i]); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[any](&file, schema(name, cols), parquet.Compression(&parquet.Zstd),
		parquet.KeyValueMetadata(versionKey, strconv.Itoa(SchemaVersion)))
	if _, err := w.WriteRows(out); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

func schema[R any](name string, cols []column[R]) *parquet.Schema {
	root := parquet.Group{}
	for _, c := range cols {
		node := parquet.Leaf(c.typ)
		if c.optional {
			node = parquet.Optional(node)
		}
		if c.typ.Kind() == parquet.ByteArray {
			node = parquet.Encoded(node, &parquet.RLEDictionary)
		}
		root[c.name] = node
	}
	return parquet.NewSchema(name, root)
}

func encodeRow[R any](whole *space.Space, cols []column[R], params space.Assignment, r *R) (parquet.Row, error) {
	for name := range params {
		if _, ok := whole.Param(name); !ok {
			return nil, fmt.Errorf("the space has no parameter %s", name)
		}
	}
	row := make(parquet.Row, len(cols))
	for i, c := range cols {
		v := c.value(r)
		switch {
		case v.IsNull() && !c.optional:
			return nil, fmt.Errorf("%s is %s, which is no %s", c.name, params[c.name], c.typ)
		case c.optional && !v.IsNull():
			row[i] = v.Level(0, 1, i)
		default:
			row[i] = v.Level(0, 0, i)
		}
	}
	return row, nil
}
