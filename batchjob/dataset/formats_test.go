package dataset

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/supermax-hpo/supermax/shared/config"
)

// parquetFile encodes rows of a struct type.
func parquetFile[T any](t testing.TB, rows []T) string {
	t.Helper()
	var b bytes.Buffer
	// Small pages and row groups, so that reading crosses their borders.
	w := parquet.NewGenericWriter[T](&b, parquet.PageBufferSize(512), parquet.MaxRowsPerRowGroup(150))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The sample corpus gives the same examples from CSV, from JSON Lines and from Parquet.
func TestFormatsAgree(t *testing.T) {
	dir := filepath.Join("..", "..", "data", "sample", "groundtruth")
	read := func(dir string) (*Corpus, []Example) {
		c, err := Open(context.Background(), config.Corpus{Dir: dir, Layout: Groundtruth})
		if err != nil {
			t.Fatal(err)
		}
		examples, err := c.Examples(Evidence)
		if err != nil {
			t.Fatal(err)
		}
		return c, examples
	}
	csvCorpus, want := read(dir)

	records := func(name string) [][]string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	lines := map[string]string{}
	for _, name := range []string{"posts", "groundtruth", "evidence", "criteria"} {
		rows := records(name + ".csv")
		var b strings.Builder
		for _, r := range rows[1:] {
			object := map[string]string{}
			for i, key := range rows[0] {
				object[key] = r[i]
			}
			line, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(line, '\n'))
		}
		lines[name+".jsonl"] = b.String()
	}

	type postRow struct {
		Text string `parquet:"text,zstd"`
		Note *int32 `parquet:"note,optional"` // a column that nobody asked for
		ID   string `parquet:"post_id,dict"`
	}
	type labelRow struct {
		ID        string `parquet:"post_id"`
		Criterion string `parquet:"criterion_id,dict"`
		Label     int64  `parquet:"label"`
	}
	type evidenceRow struct {
		ID        string  `parquet:"post_id"`
		Criterion string  `parquet:"criterion_id"`
		Text      *string `parquet:"evidence_text,optional,snappy"`
	}
	var posts []postRow
	for _, r := range records("posts.csv")[1:] {
		posts = append(posts, postRow{ID: r[0], Text: r[1]})
	}
	var labels []labelRow
	for _, r := range records("groundtruth.csv")[1:] {
		labels = append(labels, labelRow{r[0], r[1], int64(r[2][0] - '0')})
	}
	var evidence []evidenceRow
	for _, r := range records("evidence.csv")[1:] {
		evidence = append(evidence, evidenceRow{r[0], r[1], &r[2]})
	}
	for name, files := range map[string]map[string]string{
		"JSON Lines": lines,
		"Parquet": {
			"posts.parquet": parquetFile(t, posts), "groundtruth.PARQUET": parquetFile(t, labels),
			"evidence.parquet": parquetFile(t, evidence),
			// Without a criteria table: the sample's wording is the built-in one.
		},
	} {
		c, got := read(write(t, files))
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d examples differ from the %d of CSV", name, len(got), len(want))
		}
		if c.Fingerprint() == csvCorpus.Fingerprint() {
			t.Errorf("%s: other files, the same fingerprint", name)
		}
	}
}

func TestParquetLabels(t *testing.T) {
	posts := parquetFile(t, []struct {
		ID   string `parquet:"post_id"`
		Text string `parquet:"text"`
	}{{"1", "a"}, {"2", "b"}})
	type key struct {
		ID        int32  `parquet:"post_id"` // a number names the post of the same digits
		Criterion string `parquet:"criterion_id"`
	}
	open := func(labels string) error {
		_, err := Open(context.Background(), config.Corpus{
			Dir:    write(t, map[string]string{"posts.parquet": posts, "groundtruth.parquet": labels}),
			Layout: Groundtruth,
		})
		return err
	}
	one, two := key{1, "fatigue"}, key{2, "fatigue"}
	null := int32(0)
	for name, c := range map[string]struct {
		labels string
		want   string // empty: read
	}{
		"int32": {parquetFile(t, []struct {
			key
			Label int32 `parquet:"label"`
		}{{one, 1}, {two, 0}}), ""},
		"double": {parquetFile(t, []struct {
			key
			Label float64 `parquet:"label"`
		}{{one, 1}, {two, 0}}), ""},
		"float": {parquetFile(t, []struct {
			key
			Label float32 `parquet:"label"`
		}{{one, 1}, {two, 0.5}}), `row 2, column label: "0.5" is not allowed; it must be 0 or 1`},
		"boolean": {parquetFile(t, []struct {
			key
			Label bool `parquet:"label"`
		}{{one, true}, {two, false}}), `row 1, column label: "true" is not allowed; it must be 0 or 1`},
		"null": {parquetFile(t, []struct {
			key
			Label *int32 `parquet:"label,optional"`
		}{{one, &null}, {two, nil}}), "row 2, column label: it is null; every row needs a value"},
		"list": {parquetFile(t, []struct {
			key
			Label []int32 `parquet:"label"`
		}{{one, []int32{1}}}), ", column label: its type is"},
		"bytes": {parquetFile(t, []struct {
			key
			Label [4]byte `parquet:"label"`
		}{{one, [4]byte{}}}), ", column label: its type is"},
		"missing": {parquetFile(t, []key{one}), ": the column label is missing; needed: post_id, criterion_id, label"},
		"nested": {parquetFile(t, []struct {
			key
			Label struct {
				Value int32 `parquet:"value"`
			} `parquet:"label"`
		}{{key: one}}), ": the column label is missing"},
		"rows": {parquetFile(t, []struct {
			key
			Label int32 `parquet:"label"`
		}{}), ": it holds no rows; at least one is needed"},
		"UTF-8": {parquetFile(t, []struct {
			ID        int32  `parquet:"post_id"`
			Criterion string `parquet:"criterion_id"`
			Label     int32  `parquet:"label"`
		}{{1, "fatigue\xe9", 1}}), "row 1, column criterion_id: it is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			err := open(c.labels)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
		})
	}
}

// A damaged file gives an error that names it, never a crash.
func TestParquetDamage(t *testing.T) {
	type post struct {
		ID   string `parquet:"post_id"`
		Text string `parquet:"text"`
	}
	var rows []post
	for i := range 300 {
		rows = append(rows, post{strings.Repeat("p", i+1), secret})
	}
	whole := parquetFile(t, rows)
	for at := 0; at < len(whole); at += 61 {
		damaged := []byte(whole)
		damaged[at] ^= 0xff
		tb := &table{file: "posts.parquet", columns: []string{"post_id", "text"}}
		if err := decodeParquet(context.Background(), tb, damaged); err != nil {
			checkInputError(t, err, "posts.parquet")
		}
	}
	for _, size := range []int{1, 8, len(whole) / 2, len(whole) - 1} {
		tb := &table{file: "posts.parquet", columns: []string{"post_id", "text"}}
		checkInputError(t, decodeParquet(context.Background(), tb, []byte(whole[:size])), "posts.parquet: it is not a Parquet file or is damaged")
	}
}

// Files names what Open reads, whatever else lies in the folder.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"posts.csv", "notes.txt", "annotations.JSONL", "groundtruth.parquet", "evidence.csv", ".git"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for layout, want := range map[string][]string{
		RedSM5:      {"annotations.JSONL", "posts.csv"},
		Groundtruth: {"evidence.csv", "groundtruth.parquet", "posts.csv"},
	} {
		files, err := Files(dir, layout)
		if d := cmp.Diff(want, files); d != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", layout, err, d)
		}
	}
	for layout, dir := range map[string]string{"xml": dir, RedSM5: dir + "-not", Groundtruth: t.TempDir()} {
		if files, err := Files(dir, layout); err == nil {
			t.Errorf("layout %s of %s: %v", layout, dir, files)
		}
	}
}
