package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/supermax-hpo/supermax/shared/parquetframe"
)

// decodeParquet reads the required columns of a Parquet file: strings, integers or floating
// point numbers at the top level, without nulls.
func decodeParquet(ctx context.Context, t *table, data []byte) (err error) {
	// parquet-go panics on some damaged files; to the caller both are unreadable files.
	defer func() {
		if p := recover(); p != nil {
			err = t.errorf(place{}, "", "it is a damaged Parquet file")
		}
	}()
	if err := parquetframe.Check(data); err != nil {
		return t.errorf(place{}, "", "it is not a Parquet file or is damaged: %v", err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return t.errorf(place{}, "", "it is not a Parquet file or is damaged: %v", err)
	}
	leaves := make([]parquet.LeafColumn, len(t.columns))
	var missing []string
	for i, name := range t.columns {
		leaf, ok := file.Schema().Lookup(name)
		if !ok {
			missing = append(missing, name)
			continue
		}
		kind := leaf.Node.Type().Kind()
		if leaf.MaxRepetitionLevel > 0 || kind == parquet.Int96 || kind == parquet.FixedLenByteArray {
			return t.errorf(place{}, name, "its type is %s; it must hold strings or numbers", leaf.Node)
		}
		leaves[i] = leaf
	}
	if len(missing) > 0 {
		return t.missing(place{}, missing)
	}
	for _, group := range file.RowGroups() {
		if err := t.addGroup(ctx, group, leaves); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) addGroup(ctx context.Context, group parquet.RowGroup, leaves []parquet.LeafColumn) error {
	start := len(t.rows)
	columns := make([][]string, len(leaves))
	for i, leaf := range leaves {
		if err := ctx.Err(); err != nil {
			return err
		}
		pages := group.ColumnChunks()[leaf.ColumnIndex].Pages()
		values, err := t.readPages(pages, start, t.columns[i])
		if cerr := pages.Close(); err == nil && cerr != nil {
			err = t.errorf(place{}, t.columns[i], "it cannot be read: %v", cerr)
		}
		if err != nil {
			return err
		}
		if i > 0 && len(values) != len(columns[0]) {
			return t.errorf(place{}, t.columns[i], "it has %d values where %s has %d; the file is damaged", len(values), t.columns[0], len(columns[0]))
		}
		columns[i] = values
	}
	for r := range columns[0] {
		cells := make([]string, len(columns))
		for i := range columns {
			cells[i] = columns[i][r]
		}
		if err := t.add(place{row: start + r + 1}, cells); err != nil {
			return err
		}
	}
	return nil
}

// readPages returns one row group's cells of a column; start rows come before them.
func (t *table) readPages(pages parquet.Pages, start int, column string) ([]string, error) {
	var cells []string
	buffer := make([]parquet.Value, 512)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return cells, nil
		}
		if err != nil {
			return nil, t.errorf(place{row: start + len(cells) + 1}, column, "it cannot be read: %v", err)
		}
		for values := page.Values(); ; {
			n, err := values.ReadValues(buffer)
			for _, v := range buffer[:n] {
				cell, ok := parquetCell(v)
				if !ok {
					return nil, t.errorf(place{row: start + len(cells) + 1}, column, "it is null; every row needs a value")
				}
				cells = append(cells, cell)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, t.errorf(place{row: start + len(cells) + 1}, column, "it cannot be read: %v", err)
			}
		}
		parquet.Release(page)
	}
}

// parquetCell formats a value as a text table would hold it.
func parquetCell(v parquet.Value) (string, bool) {
	if v.IsNull() {
		return "", false
	}
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.FormatBool(v.Boolean()), true
	case parquet.Int32:
		return strconv.Itoa(int(v.Int32())), true
	case parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10), true
	case parquet.Float:
		return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32), true
	case parquet.Double:
		return strconv.FormatFloat(v.Double(), 'g', -1, 64), true
	case parquet.ByteArray:
		return string(v.ByteArray()), true
	}
	return fmt.Sprint(v), true
}
