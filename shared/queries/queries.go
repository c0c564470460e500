// Package queries holds the saved queries: questions about a study that are asked again
// and again, by name. They are written in what Athena's engine 3 (Trino) and DuckDB have in
// common, so that both homes give the same answer.
//
// They read two tables. metrics has one row an epoch and seed (package results); trials
// has one row a trial, written when its stage is aggregated. Both are partitioned by study
// and stage, and parameters are columns by their dotted names, in quotes. Every query
// names one study: on AWS the study is an injected projection, which has to be given.
package queries

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/shared/store"
)

//go:embed *.sql
var files embed.FS

// place stands for the study's name in a query's text.
const place = "{study}"

// Names returns the saved queries' names, sorted.
func Names() []string {
	found, _ := fs.Glob(files, "*.sql") // the pattern is well formed
	for i, name := range found {
		found[i] = strings.TrimSuffix(name, path.Ext(name))
	}
	slices.Sort(found)
	return found
}

// SQL returns the named query about a study, without a semicolon at its end. A name that
// is none and a study whose name is not allowed are errors that say so.
func SQL(name, study string) (string, error) {
	if err := store.CheckStudy(study); err != nil { // also keeps quotes out of the text
		return "", err
	}
	text, err := read(name)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(text, place, study), nil
}

// Description returns the sentence that says what the named query answers.
func Description(name string) (string, error) {
	text, err := read(name)
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(text, "\n")
	return strings.TrimPrefix(first, "-- "), nil
}

func read(name string) (string, error) {
	if !slices.Contains(Names(), name) {
		return "", fmt.Errorf("there is no saved query %.80q; allowed: %s", name, strings.Join(Names(), ", "))
	}
	text, err := files.ReadFile(name + ".sql")
	if err != nil {
		return "", fmt.Errorf("read query %s: %w", name, err)
	}
	return strings.TrimSpace(string(text)), nil
}
