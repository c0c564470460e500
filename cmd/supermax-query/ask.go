package main

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/supermax-hpo/supermax/cmd/internal/table"
)

// ask runs the query and reads its whole answer.
func ask(ctx context.Context, db *sql.DB, query string) (*table.Table, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, failed(ctx, err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, failed(ctx, err)
	}
	answer := &table.Table{Columns: []table.Column{}, Rows: [][]*string{}}
	for _, t := range types {
		answer.Columns = append(answer.Columns, table.Column{Name: t.Name(), Kind: table.KindOf(t.DatabaseTypeName())})
	}
	values, to := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return nil, failed(ctx, err)
		}
		cells := make([]*string, len(types))
		for i, v := range values {
			if v != nil {
				text := cell(v, types[i].DatabaseTypeName())
				cells[i] = &text
			}
		}
		if err := answer.Add(cells); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, failed(ctx, err)
	}
	return answer, nil
}

// failed says that the query is at fault, unless it was stopped.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return wrong(err)
}

// cell writes a value as Athena does.
func cell(v any, sqlType string) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case time.Time:
		if sqlType == "DATE" {
			return v.Format(time.DateOnly)
		}
		return v.UTC().Format("2006-01-02 15:04:05.000")
	}
	return fmt.Sprint(v)
}
