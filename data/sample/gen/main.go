// Command gen writes the sample corpus in data/sample: about 400 invented English posts,
// labelled for nine depressive criteria, in the layouts redsm5 and groundtruth. It takes
// no input and always writes the same bytes.
//
//	go run ./data/sample/gen [folder, data/sample by default]
package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
)

func main() {
	dir := filepath.Join("data", "sample")
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := write(dir); err != nil {
		fmt.Fprintf(os.Stderr, "gen: %v\n", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	for name, content := range files(compose()) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make the corpus's folder: %w", err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("write the corpus: %w", err)
		}
	}
	return nil
}

// files returns the corpus's files by their names in data/sample.
func files(posts []entry) map[string][]byte {
	criteria := dataset.Builtin()
	wording := [][]string{{"criterion_id", "name", "text"}}
	for _, c := range criteria {
		wording = append(wording, []string{c.ID, c.Name, c.Text})
	}
	texts := [][]string{{"post_id", "text"}}
	annotations := [][]string{{"post_id", "sentence_id", "sentence_text", "DSM5_symptom", "status", "explanation"}}
	labels := [][]string{{"post_id", "criterion_id", "label"}}
	evidence := [][]string{{"post_id", "criterion_id", "evidence_text"}}
	for _, e := range posts {
		texts = append(texts, []string{e.id, e.text()})
		for i, l := range e.lines {
			for c := range themes {
				shown, judged := l.status[c]
				if !judged {
					continue
				}
				annotations = append(annotations, []string{e.id, fmt.Sprintf("s%03d", i+1), l.text, strings.ToUpper(themes[c].id), bit(shown), l.why[c]})
				if shown {
					evidence = append(evidence, []string{e.id, themes[c].id, l.text})
				}
			}
		}
		for c := range themes {
			labels = append(labels, []string{e.id, themes[c].id, bit(e.meets(c))})
		}
	}
	return map[string][]byte{
		"redsm5/posts.csv":            table(texts),
		"redsm5/annotations.csv":      table(annotations),
		"groundtruth/posts.csv":       table(texts),
		"groundtruth/groundtruth.csv": table(labels),
		"groundtruth/evidence.csv":    table(evidence),
		"groundtruth/criteria.csv":    table(wording),
	}
}

func bit(b bool) string {
	if b {
		return strconv.Itoa(1)
	}
	return strconv.Itoa(0)
}

func table(rows [][]string) []byte {
	var b bytes.Buffer
	// A bytes.Buffer takes every write.
	_ = csv.NewWriter(&b).WriteAll(rows)
	return b.Bytes()
}
