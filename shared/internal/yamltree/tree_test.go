package yamltree

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) Node {
	t.Helper()
	n, err := Parse("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"empty":         {"", "f.yaml:1: is empty"},
		"comment only":  {"# nothing\n", "f.yaml:1: is empty"},
		"two documents": {"a: 1\n---\nb: 2\n", "f.yaml:3: starts a second document; one is allowed"},
		"not UTF-8":     {"a: \xff\n", "f.yaml:1: is not UTF-8 text"},
		"NUL":           {"a: \x00\n", "f.yaml:1: holds a NUL byte: it is not a text file"},
		"duplicate key": {"a: 1\nb: 2\na: 3\n", `f.yaml:3: is not YAML: mapping key "a" already defined at [1:1]`},
		"open list":     {"a: 1\nb: [1\n", "f.yaml:2: is not YAML: sequence end token ']' not found"},
		"brackets":      {strings.Repeat("[", maxDepth+1), "f.yaml:1: is nested more than 64 deep"},
		"braces":        {strings.Repeat("{a: ", maxDepth+1), "f.yaml:1: is nested more than 64 deep"},
		"dashes":        {"a:\n " + strings.Repeat("- ", maxDepth), "f.yaml:1: is nested more than 64 deep"},
		"too large":     {strings.Repeat("#", maxBytes+1), "f.yaml:1: has 262145 bytes; at most 262144 are allowed"},
	} {
		_, err := Parse("f.yaml", []byte(tc.text))
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
		var e *Error
		if !errors.As(err, &e) || e.File != "f.yaml" {
			t.Errorf("%s: %v is not an *Error with the file", name, err)
		}
	}
}

func TestParseAllowsDepth(t *testing.T) {
	n := parse(t, "a: "+strings.Repeat("[", maxDepth)+strings.Repeat("]", maxDepth))
	for n = n.Find("a"); n.IsList(); {
		items, err := n.List()
		if err != nil {
			t.Fatal(err)
		}
		if len(items) == 0 {
			return
		}
		n = items[0]
	}
	t.Error("the innermost value is no list")
}

func TestScalar(t *testing.T) {
	for text, want := range map[string]any{
		"1": 1, "-3": -3, "+3": 3, "0": 0, "-0": 0, "007": "007", "010": "010", "0x10": "0x10",
		"1_000": "1_000", "0o7": "0o7", "9007199254740991": 9007199254740991,
		"1.5": 1.5, "1.": 1.0, ".5": 0.5, "3e-4": 3e-4, "1E3": 1000.0, "1.5e+2": 150.0, "0.0": 0.0,
		".inf": ".inf", ".nan": ".nan", "1e": "1e", "e5": "e5", ".": ".",
		"true": true, "False": false, "off": "off", "yes": "yes", "none": "none",
		`"1"`: "1", `'true'`: "true", `""`: "", "adamw": "adamw", "a b": "a b", "2001-01-01": "2001-01-01",
		"|\n  two\n  lines\n": "two\nlines\n",
	} {
		f, err := parse(t, "k: "+text).Map()
		if err != nil {
			t.Fatal(err)
		}
		got, err := f[0].Value.Scalar()
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: got %#v, %v, want %#v", text, got, err, want)
		}
	}
}

func TestTypedValues(t *testing.T) {
	n := parse(t, "s: x\ni: 2\nf: 0.5\nb: true\nid: 1.10\nq: \"7\"\nblock: |\n  x\n")
	value := func(key string) Node { return n.Find(key) }
	if s, err := value("s").Str(); s != "x" || err != nil {
		t.Error(s, err)
	}
	if i, err := value("i").Int(); i != 2 || err != nil {
		t.Error(i, err)
	}
	if f, err := value("f").Float(); f != 0.5 || err != nil {
		t.Error(f, err)
	}
	if f, err := value("i").Float(); f != 2 || err != nil {
		t.Error(f, err)
	}
	if b, err := value("b").Bool(); !b || err != nil {
		t.Error(b, err)
	}
	for key, want := range map[string]string{"id": "1.10", "q": "7", "s": "x", "b": "true", "block": "x\n"} {
		if s, err := value(key).Text(); s != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", key, s, err, want)
		}
	}
}

func TestTypedValuesRefuse(t *testing.T) {
	n := parse(t, "top:\n  s: x\n  i: 2\n  none:\n  map: {a: 1}\n  list: [1]\n  anchor: &a 1\n  alias: *a\n"+
		"  tag: !!str 1\n  big: 9007199254740992\n  huge: 1e999\n  block: |\n    x\n")
	errOf := func(_ any, err error) error { return err }
	for _, tc := range []struct {
		err  error
		want string
	}{
		{errOf(n.Find("top", "i").Str()), "f.yaml:3: top.i: 2 is not allowed; allowed: a string"},
		{errOf(n.Find("top", "s").Int()), `f.yaml:2: top.s: "x" is not allowed; allowed: a whole number`},
		{errOf(n.Find("top", "s").Float()), `f.yaml:2: top.s: "x" is not allowed; allowed: a number`},
		{errOf(n.Find("top", "i").Bool()), "f.yaml:3: top.i: 2 is not allowed; allowed: true or false"},
		{errOf(n.Find("top", "none").Str()), "f.yaml:4: top.none: nothing is not allowed; allowed: a string"},
		{errOf(n.Find("top", "none").Scalar()), "f.yaml:4: top.none: nothing is not allowed; allowed: one value"},
		{errOf(n.Find("top", "map").Int()), "f.yaml:5: top.map: a mapping is not allowed; allowed: a whole number"},
		{errOf(n.Find("top", "list").Text()), "f.yaml:6: top.list: a list is not allowed; allowed: a string"},
		{errOf(n.Find("top", "anchor").Int()), "f.yaml:7: top.anchor: an anchor or alias is not allowed; allowed: one value"},
		{errOf(n.Find("top", "alias").Text()), "f.yaml:8: top.alias: an anchor or alias is not allowed; allowed: one value"},
		{errOf(n.Find("top", "tag").Str()), "f.yaml:9: top.tag: a tag is not allowed; allowed: one value"},
		{errOf(n.Find("top", "big").Int()), "f.yaml:10: top.big: 9007199254740992 is too large a whole number; allowed: below 2^53"},
		{errOf(n.Find("top", "huge").Float()), "f.yaml:11: top.huge: 1e999 is too large a number"},
		{errOf(n.Find("top", "block").Int()), `f.yaml:12: top.block: "x\n" is not allowed; allowed: a whole number`},
		{errOf(n.Find("top", "s").List()), `f.yaml:2: top.s: "x" is not allowed; allowed: a list`},
		{errOf(n.Find("top", "s").Map("a", "b")), `f.yaml:2: top.s: "x" is not allowed; allowed: keys with values (a, b)`},
		{errOf(n.Find("top", "list").Map()), "f.yaml:6: top.list: a list is not allowed; allowed: keys with values"},
	} {
		if tc.err == nil || tc.err.Error() != tc.want {
			t.Errorf("got %v, want %s", tc.err, tc.want)
		}
	}
}

func TestMapRefusesKeys(t *testing.T) {
	many := []string{"version", "name", "agent", "seed", "corpus", "models", "constraints", "training", "stages"}
	for _, tc := range []struct {
		text    string
		allowed []string
		want    string
	}{
		{"a: 1\nbb: 2\n", []string{"a", "b"}, "f.yaml:2: bb: is not a key here; allowed: a, b"},
		{"name: 1\n\nmodel: 2\n", many, "f.yaml:3: model: is not a key here; nearest: models, name, seed"},
		{"<<: {a: 1}\n", nil, "f.yaml:1: an anchor or alias is not allowed as a key; allowed: a plain string"},
		{"\"\": 1\n", nil, "f.yaml:1: a key is empty"},
	} {
		_, err := parse(t, tc.text).Map(tc.allowed...)
		if err == nil || err.Error() != tc.want {
			t.Errorf("%q: got %v, want %s", tc.text, err, tc.want)
		}
	}
}

func TestFindStopsWhereTheFileDoes(t *testing.T) {
	n := parse(t, "a:\n  list:\n    - 1\n    - {x: 2}\n  s: 3\n")
	for _, tc := range []struct {
		path string
		line int
		key  string
	}{
		{"a", 1, "a"},
		{"a list", 2, "a.list"},
		{"a list 0", 3, "a.list"},
		{"a list 1 x", 4, "a.list.x"},
		{"a list 7", 2, "a.list"},
		{"a list x", 2, "a.list"},
		{"a s deeper", 5, "a.s"},
		{"b", 1, ""},
	} {
		got := n.Find(strings.Fields(tc.path)...)
		if got.Line() != tc.line || got.key != tc.key || got.File() != "f.yaml" {
			t.Errorf("%s: line %d key %q, want %d %q", tc.path, got.Line(), got.key, tc.line, tc.key)
		}
	}
}

// walk visits everything that Parse gave.
func walk(n Node) {
	if fields, err := n.Map(); err == nil {
		for _, f := range fields {
			walk(f.Value)
		}
	}
	if items, err := n.List(); err == nil {
		for _, item := range items {
			walk(item)
		}
	}
	_, _ = n.Scalar()
	_, _ = n.Text()
	_, _ = n.Float()
}

// FuzzParse holds that no text makes the reader panic and that every fault is an *Error
// with a line.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a: 1\nb: [1, {c: 3e-4}]\n", "? [a]\n: 1", "a: &x 1\nb: *x\n<<: *x", "!!map {a: 1}", "- a\n- b: |\n   x\n",
		"a: [", "{a: {b: {c: ", "a:\n\t- b", "%YAML 1.2\n---\na: 1\n...", "\"\\x\": 1", "a: !<x> y", "'", "\ufeffa: 1\r\nb: 2\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Parse("f.yaml", data)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Problem == "" {
				t.Fatalf("%v has no line or problem", err)
			}
			return
		}
		walk(n)
	})
}
