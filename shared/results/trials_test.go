package results

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// cells returns a file's rows by the columns' names; null cells are left out.
func cells(t *testing.T, data []byte) []map[string]any {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]map[string]any, file.NumRows())
	in := parquet.NewReader(file)
	for i := range rows {
		buf := make([]parquet.Row, 1)
		if n, err := in.ReadRows(buf); n != 1 {
			t.Fatal(err)
		}
		rows[i] = map[string]any{}
		for _, v := range buf[0] {
			name := file.Schema().Fields()[v.Column()].Name()
			switch {
			case v.IsNull():
			case v.Kind() == parquet.ByteArray:
				rows[i][name] = string(v.ByteArray())
			case v.Kind() == parquet.Int64:
				rows[i][name] = v.Int64()
			case v.Kind() == parquet.Double:
				rows[i][name] = v.Double()
			case v.Kind() == parquet.Boolean:
				rows[i][name] = v.Boolean()
			}
		}
	}
	return rows
}

func TestWriteTrials(t *testing.T) {
	b, s := bucket(t), wholeSpace(t)
	params := complete(t, s)
	f1, ece, fold, candidate, kind := 0.75, 0.125, 2, 7, "oom"
	rows := []Trial{
		{Trial: 8, Agent: "criteria", State: "COMPLETED", Fold: &fold, Candidate: &candidate, Rung: 1, Epochs: 20, F1Macro: &f1, ECE: &ece,
			CostSeconds: 1800, Cost: 0.5, Attempts: 3, Created: time.UnixMilli(1748779200123), Params: params},
		{Trial: 9, Agent: "criteria", State: "FAILED", FailureKind: &kind, Created: time.UnixMilli(0), Params: params},
	}
	want := []map[string]any{
		{"trial": int64(8), "agent": "criteria", "state": "COMPLETED", "fold": int64(2), "candidate": int64(7), "rung": int64(1), "epochs": int64(20),
			"f1_macro": 0.75, "ece": 0.125, "cost_seconds": 1800.0, "cost": 0.5, "attempts": int64(3), "created_at": int64(1748779200123)},
		{"trial": int64(9), "agent": "criteria", "state": "FAILED", "rung": int64(0), "epochs": int64(0), "cost_seconds": 0.0, "cost": 0.0,
			"attempts": int64(0), "failure_kind": "oom", "created_at": int64(0)},
	}
	for range 2 { // the second write replaces the first
		if err := WriteTrials(t.Context(), b, "s", protocol.StageC, s, rows); err != nil {
			t.Fatal(err)
		}
	}
	data, err := b.Read(t.Context(), "trials/study=s/stage=C/trials.parquet")
	if err != nil {
		t.Fatal(err)
	}
	got := cells(t, data)
	for _, row := range got {
		for _, p := range s.Params {
			if v, ok := row[p.Name]; !ok {
				t.Errorf("column %s is missing or null", p.Name)
			} else if n, isInt := v.(int64); isInt && params[p.Name].String() != space.Int(int(n)).String() {
				t.Errorf("%s is %v, want %v", p.Name, n, params[p.Name])
			}
			delete(row, p.Name)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if keys, err := b.List(t.Context(), ""); err != nil || len(keys) != 1 {
		t.Errorf("objects: %v, %v", keys, err)
	}
}

func TestWriteTrialsErrors(t *testing.T) {
	b, s := bucket(t), wholeSpace(t)
	err := WriteTrials(t.Context(), b, "s", protocol.StageA, s, []Trial{{Params: space.Assignment{}}})
	if err == nil || !strings.Contains(err.Error(), "write trials trials/study=s/stage=A/trials.parquet: row 0: ") {
		t.Errorf("WriteTrials without parameters = %v", err)
	}
	if err := WriteTrials(t.Context(), b, "../s", protocol.StageA, s, nil); err == nil {
		t.Error("WriteTrials took a key that leads out of the bucket")
	}
	if keys, err := b.List(t.Context(), ""); err != nil || len(keys) != 0 {
		t.Errorf("failed writes left %v, %v", keys, err)
	}
}

// What a catalogue is told of are the columns that the files have.
func TestColumns(t *testing.T) {
	s := wholeSpace(t)
	hive := map[parquet.Kind][]string{
		parquet.Boolean: {"boolean"}, parquet.Int64: {"bigint", "timestamp"}, parquet.Double: {"double"}, parquet.ByteArray: {"string"},
	}
	metrics, err := encode(FileID{Study: "s", Stage: protocol.StageA}, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	trials, err := encodeRows("trials", s, trialColumns(), func(r *Trial) space.Assignment { return r.Params }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		columns func(*space.Space) ([]Column, error)
		file    []byte
		fixed   map[string]string
	}{
		"metrics": {MetricsColumns, metrics, map[string]string{"agent": "string", "epoch": "bigint", "auroc": "double", "fold": "bigint"}},
		"trials":  {TrialsColumns, trials, map[string]string{"state": "string", "created_at": "timestamp", "candidate": "bigint", "failure_kind": "string"}},
	} {
		got, err := c.columns(s)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parquet.OpenFile(bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil {
			t.Fatal(err)
		}
		fields := file.Schema().Fields()
		if len(fields) != len(got) {
			t.Fatalf("%s: %d columns, the file has %d", name, len(got), len(fields))
		}
		types := map[string]string{}
		for i, f := range fields {
			if f.Name() != got[i].Name || !strings.Contains(strings.Join(hive[f.Type().Kind()], " "), got[i].Type) {
				t.Errorf("%s: column %d is %+v, the file's is %s %s", name, i, got[i], f.Name(), f.Type())
			}
			types[got[i].Name] = got[i].Type
		}
		for column, want := range c.fixed {
			if types[column] != want {
				t.Errorf("%s: %s is %q, want %s", name, column, types[column], want)
			}
		}
		if types["aug.enabled"] != "boolean" || types["optim.lr"] != "double" || types["tok.max_length"] != "bigint" {
			t.Errorf("%s: the parameters' columns are %v", name, types)
		}
		if _, err := c.columns(&space.Space{Params: []space.Param{{Name: "lr"}}}); err == nil {
			t.Errorf("%s: a parameter without a dot became a column", name)
		}
	}
}
