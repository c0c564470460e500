package table

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func text(s string) *string { return &s }

func sample(t *testing.T) *Table {
	t.Helper()
	made := &Table{Columns: []Column{{"trial", Integer}, {"f1", Number}, {"on", Boolean}, {"model", Text}}}
	for _, row := range [][]*string{
		{text("3"), text("1.0E-5"), text("TRUE"), text("a \"b\",\n\x1b[2Jc")},
		{text("4"), text("7200.0"), nil, nil},
		{text("5"), text("NaN"), text("false"), text("ä")},
	} {
		if err := made.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

func TestWrite(t *testing.T) {
	for format, want := range map[string]string{
		"table": "trial  f1     on     model\n" +
			"3      1e-05  true   a \"b\",  [2Jc\n" +
			"4      7200   -      -\n" +
			"5      NaN    false  ä\n",
		"csv": "trial,f1,on,model\n3,1e-05,true,\"a \"\"b\"\",\n\x1b[2Jc\"\n4,7200,,\n5,NaN,false,ä\n",
		"json": `{"trial":3,"f1":1e-05,"on":true,"model":"a \"b\",\n\u001b[2Jc"}` + "\n" +
			`{"trial":4,"f1":7200,"on":null,"model":null}` + "\n" +
			`{"trial":5,"f1":"NaN","on":false,"model":"ä"}` + "\n",
	} {
		var b bytes.Buffer
		if err := sample(t).Write(&b, format); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, b.String()); d != "" {
			t.Errorf("%s: -want +got\n%s", format, d)
		}
	}
	if err := sample(t).Write(&bytes.Buffer{}, "xml"); err == nil || !strings.Contains(err.Error(), "allowed: table, csv, json") {
		t.Errorf("xml: %v", err)
	}
}

// The two engines write the same double differently.
func TestOneForm(t *testing.T) {
	for _, c := range []struct {
		trino, duckdb, want string
	}{
		{"1.0E-5", "1e-05", "1e-05"}, {"0.5", "0.5", "0.5"}, {"100.0", "100.0", "100"}, {"-0.0", "0", "0"},
		{"NaN", "nan", "NaN"}, {"Infinity", "inf", "Infinity"}, {"-Infinity", "-inf", "-Infinity"}, {"1.2345678901234567E19", "1.2345678901234567e+19", "1.2345678901234567e+19"},
	} {
		made := &Table{Columns: []Column{{"a", Number}, {"b", Number}}}
		if err := made.Add([]*string{&c.trino, &c.duckdb}); err != nil {
			t.Fatal(err)
		}
		if row := made.Rows[0]; *row[0] != c.want || *row[1] != c.want {
			t.Errorf("%s and %s became %s and %s, want %s", c.trino, c.duckdb, *row[0], *row[1], c.want)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	made := &Table{Columns: []Column{{"a", Number}, {"b", Boolean}}}
	for want, row := range map[string][]*string{
		"2 columns":        {nil},
		"a: \"x\" is no":   {text("x"), nil},
		"b: \"y\" is neit": {nil, text("y")},
	} {
		if err := made.Add(row); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", row, err, want)
		}
	}
	if len(made.Rows) != 0 {
		t.Error("a refused row is there")
	}
}

func TestKindOf(t *testing.T) {
	for of, want := range map[string]Kind{
		"BIGINT": Integer, "HUGEINT": Integer, "integer": Integer, "double": Number, "DECIMAL(18,3)": Number, "real": Number,
		"boolean": Boolean, "VARCHAR": Text, "timestamp(3)": Text, "varchar(10)": Text, "": Text, "BIGINT[]": Text,
	} {
		if got := KindOf(of); got != want {
			t.Errorf("%q is %s, want %s", of, got, want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	data, err := json.Marshal(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	var again Table
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sample(t), &again); d != "" {
		t.Error(d)
	}
}
