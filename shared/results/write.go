package results

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	cols := columns()
	for _, p := range whole.Params {
		c, err := paramColumn(p)
		if err != nil {
			return nil, err
		}
		cols = append(cols, c)
	}
	slices.SortFunc(cols, func(a, b column) int { return strings.Compare(a.name, b.name) })
	out := make([]parquet.Row, len(rows))
	for i := range rows {
		var err error
		if out[i], err = encodeRow(id, whole, cols, &rows[i]); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[any](&file, schema(cols), parquet.Compression(&parquet.Zstd),
		parquet.KeyValueMetadata(versionKey, strconv.Itoa(SchemaVersion)))
	if _, err := w.WriteRows(out); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

func schema(cols []column) *parquet.Schema {
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
	return parquet.NewSchema("metrics", root)
}

func encodeRow(id FileID, whole *space.Space, cols []column, r *Row) (parquet.Row, error) {
	if got := (FileID{r.Study, r.Stage, r.Trial, r.Rung, r.Attempt}); got != id {
		return nil, fmt.Errorf("it belongs to %s", got.Key())
	}
	for name := range r.Params {
		if _, ok := whole.Param(name); !ok {
			return nil, fmt.Errorf("the space has no parameter %s", name)
		}
	}
	row := make(parquet.Row, len(cols))
	for i, c := range cols {
		v := c.value(r)
		switch {
		case v.IsNull() && !c.optional:
			return nil, fmt.Errorf("%s is %s, which is no %s", c.name, r.Params[c.name], c.typ)
		case c.optional && !v.IsNull():
			row[i] = v.Level(0, 1, i)
		default:
			row[i] = v.Level(0, 0, i)
		}
	}
	return row, nil
}
