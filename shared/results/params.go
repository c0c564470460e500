package results

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/supermax-hpo/supermax/shared/space"
)

// paramColumn is the column of a parameter in rows whose parameters params returns. Its
// name is the parameter's, whose dot tells it from the fixed columns.
func paramColumn[R any](p space.Param, params func(*R) space.Assignment) (column[R], error) {
	if !strings.Contains(p.Name, ".") {
		return column[R]{}, fmt.Errorf("parameter %s has no dot in its name, so it could be taken for another column", p.Name)
	}
	types := map[space.Type]parquet.Type{
		space.TypeBool: parquet.BooleanType, space.TypeInt: parquet.Int64Type,
		space.TypeFloat: parquet.DoubleType, space.TypeString: parquet.String().Type(),
	}
	typ := types[p.Type()]
	if typ == nil {
		return column[R]{}, fmt.Errorf("parameter %s has no type", p.Name)
	}
	return column[R]{
		name: p.Name, typ: typ,
		value: func(r *R) parquet.Value { return paramValue(params(r)[p.Name], p.Type()) },
	}, nil
}

// paramValue turns a parameter's value into the file's; null says that it is not of that
// type, which Write reports.
func paramValue(v space.Value, t space.Type) parquet.Value {
	switch t {
	case space.TypeBool:
		if b, ok := v.AsBool(); ok {
			return parquet.BooleanValue(b)
		}
	case space.TypeInt:
		if n, ok := v.AsInt(); ok {
			return parquet.Int64Value(int64(n))
		}
	case space.TypeFloat:
		if f, ok := v.AsFloat(); ok {
			return parquet.DoubleValue(f)
		}
	case space.TypeString:
		if s, ok := v.AsString(); ok {
			return parquet.ByteArrayValue([]byte(s))
		}
	}
	return parquet.NullValue()
}

// setParam stores a file's value under a parameter's name.
func setParam(r *Row, name string, v parquet.Value) {
	switch v.Kind() {
	case parquet.Boolean:
		r.Params[name] = space.Bool(v.Boolean())
	case parquet.Int64:
		r.Params[name] = space.Int(int(v.Int64()))
	case parquet.Double:
		r.Params[name] = space.Float(v.Double())
	case parquet.ByteArray:
		r.Params[name] = space.String(string(v.ByteArray()))
	}
}
