package results

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

func bucket(t *testing.T) *objects.Bucket {
	t.Helper()
	b, err := objects.Open(t.Context(), objects.FileURL(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wholeSpace(t testing.TB) *space.Space {
	t.Helper()
	s, err := space.Parse("space.yaml", configs.Space)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// draw makes any assignment that the space allows.
func draw(t *rapid.T, s *space.Space) space.Assignment {
	a := space.Assignment{}
	for _, p := range s.Params {
		switch {
		case !s.Active(a, p.Name):
			a[p.Name] = p.Otherwise
		case p.Count() > 0:
			a[p.Name] = p.At(rapid.IntRange(0, p.Count()-1).Draw(t, p.Name))
		default:
			a[p.Name] = space.Float(rapid.Float64Range(p.Low, p.High).Draw(t, p.Name))
		}
	}
	a, err := s.Complete(a)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func drawRow(t *rapid.T, id FileID, s *space.Space) Row {
	f := func(name string) float64 { return rapid.Float64().Draw(t, name) }
	r := Row{
		Study: id.Study, Stage: id.Stage, Trial: id.Trial, Rung: id.Rung, Attempt: id.Attempt,
		Agent: "criteria", Seed: rapid.Int64().Draw(t, "seed"), Epoch: rapid.IntRange(1, 40).Draw(t, "epoch"),
		Params: draw(t, s),
		Loss:   f("loss"), F1Macro: f("f1"), ECE: f("ece"), Accuracy: f("acc"), NLL: f("nll"), Brier: f("brier"),
		Seconds:          Seconds{f("total"), f("data"), f("fwd"), f("bwd"), f("opt"), f("eval")},
		SamplesPerSecond: f("rate"), PeakMemoryBytes: rapid.Int64().Draw(t, "peak"),
		Device: rapid.String().Draw(t, "device"), Cost: f("cost"),
	}
	if rapid.Bool().Draw(t, "has fold") {
		fold := rapid.IntRange(0, 4).Draw(t, "fold")
		r.Fold = &fold
	}
	if rapid.Bool().Draw(t, "has auroc") {
		v := f("auroc")
		r.AUROC = &v
	}
	for _, o := range []struct {
		name  string
		field **float64
	}{
		{"criteria f1", &r.Criteria.F1Macro}, {"criteria ece", &r.Criteria.ECE},
		{"criteria threshold", &r.Criteria.NullThreshold}, {"criteria temperature", &r.Criteria.BestTemperature},
		{"evidence f1", &r.Evidence.F1Macro}, {"evidence ece", &r.Evidence.ECE},
		{"evidence threshold", &r.Evidence.NullThreshold}, {"evidence temperature", &r.Evidence.BestTemperature},
	} {
		if rapid.Bool().Draw(t, "has "+o.name) {
			v := f(o.name)
			*o.field = &v
		}
	}
	return r
}

func TestRoundTrip(t *testing.T) {
	b, s := bucket(t), wholeSpace(t)
	rapid.Check(t, func(rt *rapid.T) {
		id := FileID{"s-1", protocol.StageC, rapid.IntRange(0, 2e6).Draw(rt, "trial"), rapid.IntRange(0, 3).Draw(rt, "rung"), 2}
		var rows []Row
		for range rapid.IntRange(0, 70).Draw(rt, "rows") {
			rows = append(rows, drawRow(rt, id, s))
		}
		if err := Write(t.Context(), b, id.Key(), s, rows); err != nil {
			rt.Fatal(err)
		}
		got, err := Read(t.Context(), b, id.Key())
		if err != nil {
			rt.Fatal(err)
		}
		equal := cmp.Options{
			cmp.Comparer(func(a, b space.Value) bool { return a.Type() == b.Type() && a.Equal(b) }),
			cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
		}
		if d := cmp.Diff(rows, got, equal); d != "" {
			rt.Fatalf("-wrote +read\n%s", d)
		}
	})
}

// complete is one allowed assignment, for the tests that do not care which.
func complete(t *testing.T, s *space.Space) space.Assignment {
	t.Helper()
	return rapid.Custom(func(rt *rapid.T) space.Assignment { return draw(rt, s) }).Example(1)
}

// A study that narrows parameters writes the same columns of the same types.
func TestNarrowedSpaceHasTheSameColumns(t *testing.T) {
	s := wholeSpace(t)
	narrowed, err := s.Narrow(space.Constraints{
		"model.name":       {Choices: []space.Value{space.String("bert-base-uncased")}},
		"head.hidden_mult": {Choices: []space.Value{space.Int(0)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := FileID{"s", protocol.StageA, 1, 0, 0}
	var schemas []string
	for _, sp := range []*space.Space{s, narrowed} {
		data, err := encode(id, sp, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		schemas = append(schemas, f.Schema().String())
	}
	if d := cmp.Diff(schemas[0], schemas[1]); d != "" {
		t.Error(d)
	}
	for _, want := range []string{
		"required double head.hidden_mult;", "required int64 head.hidden_dim (INT(64,true));", "required boolean train.amp;",
		"required binary optim.name (STRING);", "required double null.threshold;", "required int64 train.batch_size (INT(64,true));",
		"optional int64 fold (INT(64,true));", "optional double auroc;", "optional double evidence_null_threshold;", "required double f1_macro;", "required int64 seed (INT(64,true));",
	} {
		if !strings.Contains(schemas[0], want) {
			t.Errorf("the schema lacks %q:\n%s", want, schemas[0])
		}
	}
	for _, not := range []string{" study", " stage"} {
		if strings.Contains(schemas[0], not) {
			t.Errorf("the schema has a column%s, which is a partition", not)
		}
	}
}

// A file that was written before optional columns were added is read without them.
func TestReadEarlierFile(t *testing.T) {
	s := wholeSpace(t)
	id := FileID{"s", protocol.StageA, 1, 0, 0}
	f1 := 0.5
	row := Row{Study: "s", Stage: protocol.StageA, Trial: 1, Epoch: 2, F1Macro: f1, Criteria: Task{F1Macro: &f1}, Params: complete(t, s)}
	var earlier []column[Row]
	for _, c := range columns() {
		if !strings.HasPrefix(c.name, "criteria_") && !strings.HasPrefix(c.name, "evidence_") {
			earlier = append(earlier, c)
		}
	}
	data, err := encodeRows("metrics", s, earlier, func(r *Row) space.Assignment { return r.Params }, []Row{row})
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(id, data)
	row.Criteria = Task{}
	if diff := cmp.Diff([]Row{row}, got, cmp.Comparer(func(a, b space.Value) bool { return a.Equal(b) })); err != nil || diff != "" {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
}

func TestReadAll(t *testing.T) {
	b, s := bucket(t), wholeSpace(t)
	params := complete(t, s)
	for _, id := range []FileID{{"s", "A", 2, 0, 0}, {"s", "A", 1, 1, 0}, {"s", "A", 1, 0, 1}, {"s", "B", 3, 0, 0}, {"s-2", "A", 9, 0, 0}} {
		row := Row{Study: id.Study, Stage: id.Stage, Trial: id.Trial, Rung: id.Rung, Attempt: id.Attempt, Params: params}
		if err := Write(t.Context(), b, id.Key(), s, []Row{row}); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, want := range map[string][]int{
		Prefix("s", protocol.StageA): {1, 1, 2}, Prefix("s", protocol.StageB): {3}, "metrics/study=s/": {1, 1, 2, 3}, "none/": nil,
	} {
		rows, err := ReadAll(t.Context(), b, prefix)
		if err != nil {
			t.Fatal(err)
		}
		var trials []int
		for _, r := range rows {
			trials = append(trials, r.Trial)
		}
		if d := cmp.Diff(want, trials); d != "" {
			t.Errorf("ReadAll(%s): %s", prefix, d)
		}
	}
	if err := b.Write(t.Context(), "metrics/study=s/stage=A/notes.txt", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAll(t.Context(), b, Prefix("s", protocol.StageA)); err == nil {
		t.Error("ReadAll took a file that is not ours")
	}
}

func TestKey(t *testing.T) {
	const want = "metrics/study=my.study-2/stage=C/trial=000012-rung=1-attempt=0.parquet"
	if got := Key("my.study-2", protocol.StageC, 12, 1, 0); got != want {
		t.Fatalf("Key = %s, want %s", got, want)
	}
	id, err := ParseKey(want)
	if d := cmp.Diff(FileID{"my.study-2", protocol.StageC, 12, 1, 0}, id); d != "" || err != nil {
		t.Fatalf("ParseKey: %v %s", err, d)
	}
	if _, err := ParseKey(Key("s", protocol.StageA, 12345678, 0, 3)); err != nil {
		t.Errorf("ParseKey of a large number: %v", err)
	}
	for _, bad := range []string{
		"", "metrics/study=s/stage=A/", "x/" + want, want + "x",
		"metrics/study=../stage=A/trial=000012-rung=1-attempt=0.parquet",
		"metrics/study=s/stage=D/trial=000012-rung=1-attempt=0.parquet",
		"metrics/study=s/stage=A/trial=12-rung=1-attempt=0.parquet",
		"metrics/study=s/stage=A/trial=0000012-rung=1-attempt=0.parquet",
		"metrics/study=s/stage=A/trial=000012-rung=01-attempt=0.parquet",
		"metrics/study=s/stage=A/trial=-00012-rung=1-attempt=0.parquet",
	} {
		if id, err := ParseKey(bad); err == nil {
			t.Errorf("ParseKey(%q) = %+v", bad, id)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add(Key("s", protocol.StageA, 12, 1, 0))
	f.Fuzz(func(t *testing.T, key string) {
		id, err := ParseKey(key)
		if err != nil {
			return
		}
		if id.Key() != key || objects.CheckKey(key) != nil {
			t.Fatalf("ParseKey(%q) = %+v, whose key is %q", key, id, id.Key())
		}
	})
}

func TestWriteErrors(t *testing.T) {
	b, s := bucket(t), wholeSpace(t)
	key := Key("s", protocol.StageA, 1, 0, 0)
	params := complete(t, s)
	with := func(name string, v space.Value) space.Assignment {
		a := params.Clone()
		a[name] = v
		return a
	}
	without := params.Clone()
	delete(without, "optim.lr")
	plain := Row{Study: "s", Stage: protocol.StageA, Trial: 1, Params: params}
	for name, c := range map[string]struct {
		key   string
		space *space.Space
		row   Row
		want  string
	}{
		"key":             {"x.parquet", s, plain, "not the key of a metrics file"},
		"other trial":     {key, s, Row{Study: "s", Stage: protocol.StageA, Trial: 2, Params: params}, "row 0: it belongs to"},
		"missing":         {key, s, Row{Study: "s", Stage: protocol.StageA, Trial: 1, Params: without}, "optim.lr is <none>"},
		"wrong type":      {key, s, Row{Study: "s", Stage: protocol.StageA, Trial: 1, Params: with("optim.lr", space.String("x"))}, "optim.lr is x"},
		"unknown":         {key, s, Row{Study: "s", Stage: protocol.StageA, Trial: 1, Params: with("x.y", space.Int(1))}, "no parameter x.y"},
		"no dot":          {key, &space.Space{Params: []space.Param{{Name: "lr", Kind: space.FloatRange, High: 1}}}, plain, "no dot"},
		"no type":         {key, &space.Space{Params: []space.Param{{Name: "a.b", Kind: space.Categorical}}}, plain, "no type"},
		"closed in a run": {key, s, plain, "closed"},
	} {
		t.Run(name, func(t *testing.T) {
			to := b
			if c.want == "closed" {
				to = bucket(t)
				_ = to.Close()
			}
			err := Write(t.Context(), to, c.key, c.space, []Row{c.row})
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), c.want) {
				t.Errorf("Write = %v, want …%s…", err, c.want)
			}
		})
	}
	if keys, err := b.List(t.Context(), ""); err != nil || len(keys) != 0 {
		t.Errorf("failed writes left %v, %v", keys, err)
	}
}

func TestReadErrors(t *testing.T) {
	b, s := bucket(t), wholeSpace(t)
	id := FileID{"s", protocol.StageA, 1, 0, 0}
	if _, err := Read(t.Context(), b, id.Key()); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("Read of no file = %v, want ErrNotFound", err)
	}
	if _, err := Read(t.Context(), b, "x"); err == nil {
		t.Error("Read took a key that is not ours")
	}
	good, err := encode(id, s, []Row{{Study: "s", Stage: protocol.StageA, Trial: 1, Params: complete(t, s)}})
	if err != nil {
		t.Fatal(err)
	}
	other := FileID{"s", protocol.StageA, 2, 0, 0}
	long := bytes.Clone(good)
	long[len(long)-5] = 0x90 // the footer's length, its highest byte: 2.4 GB
	for name, c := range map[string]struct {
		id   FileID
		data []byte
		want string
	}{
		"empty":          {id, nil, "damaged"},
		"text":           {id, []byte("not a parquet file"), "damaged"},
		"cut":            {id, good[:len(good)/2], "damaged"},
		"long footer":    {id, long, "its footer is longer than the file"},
		"moved":          {other, good, "row 0 belongs to"},
		"newer":          {id, custom(t, "2", parquet.Group{"agent": parquet.String()}), "its schema version is 2"},
		"no version":     {id, custom(t, "", parquet.Group{"agent": parquet.String()}), "no metrics file of ours"},
		"missing column": {id, custom(t, "1", parquet.Group{"agent": parquet.String()}), "column trial is missing"},
		"nested":         {id, custom(t, "1", parquet.Group{"agent": parquet.Repeated(parquet.String())}), "column agent is nested"},
		"wrong type":     {id, custom(t, "1", parquet.Group{"agent": parquet.Leaf(parquet.DoubleType)}), "column agent is not"},
	} {
		_, err := decode(c.id, c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: decode = %v, want …%s…", name, err, c.want)
		}
		if errors.Is(err, ErrNewerSchema) != (name == "newer") {
			t.Errorf("%s: ErrNewerSchema = %v", name, errors.Is(err, ErrNewerSchema))
		}
	}
}

func custom(t *testing.T, version string, root parquet.Group) []byte {
	t.Helper()
	var file bytes.Buffer
	w := parquet.NewGenericWriter[any](&file, parquet.NewSchema("x", root), parquet.KeyValueMetadata(versionKey, version))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// Damaged files give errors, never a panic.
func FuzzDecode(f *testing.F) {
	id := FileID{"s", protocol.StageA, 1, 0, 0}
	s := wholeSpace(f)
	params := rapid.Custom(func(rt *rapid.T) space.Assignment { return draw(rt, s) }).Example(1)
	good, err := encode(id, s, []Row{{Study: "s", Stage: protocol.StageA, Trial: 1, Params: params}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, 0, byte(0))
	f.Add(good[len(good)/3:], 10, byte(7))
	f.Fuzz(func(t *testing.T, data []byte, at int, b byte) {
		if len(data) > 0 {
			data = bytes.Clone(data)
			data[((at%len(data))+len(data))%len(data)] ^= b
		}
		_, _ = decode(id, data)
	})
}
