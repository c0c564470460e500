package results

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/parquetframe"
	"github.com/supermax-hpo/supermax/shared/space"
)

// ErrNewerSchema says that a newer supermax wrote a metrics file.
var ErrNewerSchema = errors.New("written by a newer supermax")

// ReadAll reads the files whose keys start with prefix, in the order of their keys. Other
// objects under the prefix are an error. [Prefix] and [StudyPrefix] name whose.
func ReadAll(ctx context.Context, bucket *objects.Bucket, prefix string) ([]Row, error) {
	keys, err := bucket.List(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	var all []Row
	for _, key := range keys {
		rows, err := Read(ctx, bucket, key)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// Read reads one file, in the order in which it was written. The error wraps
// [objects.ErrNotFound] where there is none.
func Read(ctx context.Context, bucket *objects.Bucket, key string) ([]Row, error) {
	id, err := ParseKey(key)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	data, err := bucket.Read(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	rows, err := decode(id, data)
	if err != nil {
		return nil, fmt.Errorf("read metrics %s: %w", key, err)
	}
	return rows, nil
}

// decode reads a file's bytes. The Parquet library panics on some damaged files, and a
// file from outside must not end the process: a panic in here is an error of the file.
func decode(id FileID, data []byte) (rows []Row, err error) {
	defer func() {
		if p := recover(); p != nil {
			rows, err = nil, fmt.Errorf("the file is damaged: %v", p)
		}
	}()
	if err := parquetframe.Check(data); err != nil {
		return nil, fmt.Errorf("the file is damaged: %w", err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("the file is damaged: %w", err)
	}
	if err := checkVersion(file); err != nil {
		return nil, err
	}
	sets, err := setters(file.Schema())
	if err != nil {
		return nil, err
	}
	for _, group := range file.RowGroups() {
		if rows, err = decodeGroup(rows, id, group, sets); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func checkVersion(file *parquet.File) error {
	text, _ := file.Lookup(versionKey)
	version, err := strconv.Atoi(text)
	switch {
	case err != nil || version < 1:
		return fmt.Errorf("%s is %q: no metrics file of ours", versionKey, text)
	case version > SchemaVersion:
		return fmt.Errorf("its schema version is %d, this program knows %d: %w", version, SchemaVersion, ErrNewerSchema)
	}
	return nil
}

// setters returns what to do with each column's value. Columns that this program does not
// know are skipped: a later one may have added them.
func setters(schema *parquet.Schema) ([]func(*Row, parquet.Value), error) {
	index := map[string]int{}
	sets := make([]func(*Row, parquet.Value), len(schema.Fields()))
	for i, f := range schema.Fields() {
		if !f.Leaf() || f.Repeated() {
			return nil, fmt.Errorf("column %s is nested", f.Name())
		}
		index[f.Name()] = i
		sets[i] = func(*Row, parquet.Value) {}
		if strings.Contains(f.Name(), ".") {
			sets[i] = func(r *Row, v parquet.Value) { setParam(r, f.Name(), v) }
		}
	}
	for _, c := range columns() {
		i, ok := index[c.name]
		if !ok && c.optional { // an earlier program had no such column yet
			continue
		}
		if !ok {
			return nil, fmt.Errorf("column %s is missing", c.name)
		}
		f := schema.Fields()[i]
		if f.Type().Kind() != c.typ.Kind() || f.Optional() && !c.optional {
			return nil, fmt.Errorf("column %s is not a %s", c.name, c.typ)
		}
		sets[i] = c.set
	}
	return sets, nil
}

func decodeGroup(rows []Row, id FileID, group parquet.RowGroup, sets []func(*Row, parquet.Value)) ([]Row, error) {
	in := group.Rows()
	defer func() { _ = in.Close() }()
	buf := make([]parquet.Row, 64)
	for {
		n, err := in.ReadRows(buf)
		for _, values := range buf[:n] {
			row := Row{Study: id.Study, Stage: id.Stage, Params: space.Assignment{}}
			for _, v := range values {
				sets[v.Column()](&row, v)
			}
			if got := (FileID{row.Study, row.Stage, row.Trial, row.Rung, row.Attempt}); got != id {
				return nil, fmt.Errorf("row %d belongs to %s", len(rows), got.Key())
			}
			rows = append(rows, row)
		}
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the file is damaged: %w", err)
		}
		if n == 0 {
			return nil, fmt.Errorf("the file is damaged: its rows end early")
		}
	}
}
