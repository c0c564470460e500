package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program puts a program of that text before everything else on PATH.
func program(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "supermax-query"), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// TestQueryHere checks what the program that runs DuckDB is given, and what is made of its
// answer. tests/e2e runs the real one.
func TestQueryHere(t *testing.T) {
	_, runs := finished(t)
	seen := filepath.Join(t.TempDir(), "seen")
	program(t, `{ echo "$@"; cat; } > `+seen+`
echo '{"columns":[{"name":"trial","kind":"integer"},{"name":"f1","kind":"number"}],"rows":[["3","0.5"],["4",null]]}'`)
	objects := filepath.Join(runs, "small", "objects")
	for _, tt := range []struct {
		args []string
		want string // of the output
		sql  string // what was asked ends so
	}{
		{[]string{"SELECT trial FROM trials;\n"}, "trial  f1\n3      0.5\n4      -\n", "SELECT trial FROM trials"},
		{[]string{"best-trials", "--study", "small", "--format", "csv"}, "trial,f1\n3,0.5\n4,\n", "ORDER BY stage, place"},
		{[]string{"/* so */ -- why\n (with x as (select 1) select * from x)", "--study", "small", "--format", "json"}, "{\"trial\":3,\"f1\":0.5}\n{\"trial\":4,\"f1\":null}\n", "select * from x)"},
	} {
		out, _ := good(t, append([]string{"query", "--runs", runs}, tt.args...)...)
		if out != tt.want {
			t.Errorf("%q prints %q, want %q", tt.args, out, tt.want)
		}
		asked, err := os.ReadFile(seen)
		if err != nil || !strings.HasPrefix(string(asked), objects+"\n") || !strings.HasSuffix(string(asked), tt.sql) {
			t.Errorf("%q asks %q, %v", tt.args, asked, err)
		}
	}
}

func TestQueryRefused(t *testing.T) {
	_, runs := finished(t)
	program(t, "echo 'Binder Error: no such column' >&2; exit 2")
	for want, args := range map[string][]string{
		"the query failed: Binder Error: no such column":                                                 {"SELECT x FROM trials"},
		"the saved query best-trials needs --study":                                                      {"best-trials"},
		`there is no saved query "best"; allowed: augmentation-by-method, best-trials`:                   {"best"},
		`study name "a b" is not`:                                                                        {"best-trials", "--study", "a b"},
		"a query begins with one of SELECT, WITH, VALUES and only reads; \"DROP TABLE trials\" does not": {"DROP TABLE trials"},
		"only reads; \"/* SELECT */ COPY trials TO 'x'\" does not":                                       {"/* SELECT */ COPY trials TO 'x'"},
		"only reads; \"\" does not":                                                                      {""},
		"only reads; \"explain analyze insert into trials":                                               {"explain analyze insert into trials values (1)"},
		`--format "xml" is not allowed; allowed: table, csv, json`:                                       {"SELECT 1", "--format", "xml"},
		`no run of study "none"`:                                                                         {"best-trials", "--study", "none"},
	} {
		refuses(t, append([]string{"query", "--runs", runs}, args...), want)
	}
	refuses(t, []string{"query", "SELECT 1", "--runs", t.TempDir()}, "there is no run below")

	program(t, "echo broken >&2; exit 1")
	if status, _, stderr := call("query", "SELECT 1", "--runs", runs); status != exitFailed || !strings.Contains(stderr, "failed: broken") {
		t.Errorf("status %d, %q", status, stderr)
	}
	program(t, "exit 1")
	if status, _, stderr := call("query", "SELECT 1", "--runs", runs); status != exitFailed || !strings.Contains(stderr, "exit status 1") {
		t.Errorf("status %d, %q", status, stderr)
	}
	program(t, "echo hello")
	if status, _, stderr := call("query", "SELECT 1", "--runs", runs); status != exitFailed || !strings.Contains(stderr, "read the answer of") {
		t.Errorf("status %d, %q", status, stderr)
	}
	t.Setenv("PATH", t.TempDir())
	refuses(t, []string{"query", "SELECT 1", "--runs", runs}, "supermax-query, which runs DuckDB, is neither beside this program nor on PATH: build it with make build")
}

func TestQueryHelp(t *testing.T) {
	out, _ := good(t, "query", "--help")
	for _, want := range []string{"WHERE study = 'NAME'", "pareto-front                   Stage B's trials that no other one beats"} {
		if !strings.Contains(out, want) {
			t.Errorf("the help lacks %q:\n%s", want, out)
		}
	}
}
