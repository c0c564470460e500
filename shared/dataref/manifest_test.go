package dataref

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// sum is the form of a hash.
var sum = strings.Repeat("ab", 32)

// text is a manifest of one file.
func text(name, bytes, sum string) string {
	return "{\n  \"schema_version\": 1,\n  \"files\": [\n    {\n      \"name\": \"" + name + "\",\n      \"bytes\": " + bytes +
		",\n      \"sha256\": \"" + sum + "\"\n    }\n  ]\n}\n"
}

func TestReadManifest(t *testing.T) {
	m, err := readManifest([]byte(text("posts.csv", "12", sum)))
	if err != nil || len(m.Files) != 1 || m.Files[0] != (File{"posts.csv", 12, sum}) || m.bytes() != 12 {
		t.Fatalf("got %+v, %v", m, err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"empty":             {"", "not a manifest"},
		"no object":         {"[]", "not a manifest"},
		"unknown field":     {`{"schema_version": 1, "secret": "a post's text"}`, "not a manifest"},
		"newer":             {strings.Replace(text("a", "1", sum), `"schema_version": 1`, `"schema_version": 2`, 1), "schema_version 2; allowed: 1"},
		"no files":          {`{"schema_version": 1, "files": []}`, "names 0 files"},
		"up":                {text("../a", "1", sum), "is not allowed"},
		"absolute":          {text("/etc/passwd", "1", sum), "is not allowed"},
		"below":             {text("a/b", "1", sum), "is not allowed"},
		"hidden":            {text(".a", "1", sum), "is not allowed"},
		"control character": {text("a\\u0000b", "1", sum), "is not allowed"},
		"no name":           {text("", "1", sum), "is not allowed"},
		"long name":         {text(strings.Repeat("a", 129), "1", sum), "is not allowed"},
		"itself":            {text("Manifest.json", "1", sum), "is not allowed"},
		"negative":          {text("a", "-1", sum), "or less than none"},
		"too large":         {text("a", fmt.Sprint(int64(maxBytes)+1), sum), "more than 68719476736 bytes"},
		"beyond int64":      {text("a", "1e30", sum), "not a manifest"},
		"no hash":           {text("a", "1", "ab"), "64 hexadecimal digits"},
		"capitals":          {text("a", "1", strings.ToUpper(sum)), "64 hexadecimal digits"},
		"another form":      {strings.ReplaceAll(text("a", "1", sum), "\n", ""), "not in the form"},
		"two documents":     {text("a", "1", sum) + text("a", "1", sum), "not in the form"},
		"too long":          {strings.Repeat(" ", maxManifestBytes+1), "at most 1048576"},
	} {
		if _, err := readManifest([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "post's") {
			t.Errorf("%s: %v, want …%s…", name, err, tt.want)
		}
	}
}

func TestManifestOfManyFiles(t *testing.T) {
	file := func(name string, bytes int64) File { return File{name, bytes, sum} }
	for name, tt := range map[string]struct {
		files []File
		want  string
	}{
		"order":              {[]File{file("b", 1), file("a", 1)}, "not in the order"},
		"twice":              {[]File{file("a", 1), file("a", 1)}, "a is there twice"},
		"twice on some disk": {[]File{file("A", 1), file("a", 1)}, "a is there twice"},
		"large together":     {[]File{file("a", maxBytes), file("b", 1)}, "at b"},
		"too many":           {make([]File, maxFiles+1), "allowed: 1 to 1000"},
	} {
		if _, _, err := (manifest{1, tt.files}).encode(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want …%s…", name, err, tt.want)
		}
	}
}

func TestParseLocation(t *testing.T) {
	for url, want := range map[string]location{
		"s3://data/corpora/" + sum + "/":      {"s3://data", Corpora, sum},
		"s3://data/backbones/" + sum:          {"s3://data", Backbones, sum},
		"file:///tmp/x/corpora/" + sum + "/":  {"file:///tmp/x", Corpora, sum},
		"s3://d/corpora/corpora/" + sum + "/": {"s3://d/corpora", Corpora, sum},
	} {
		l, err := parseLocation(url)
		if err != nil || l != want || strings.TrimSuffix(l.url(), "/") != strings.TrimSuffix(url, "/") {
			t.Errorf("%s: %+v, %v", url, l, err)
		}
	}
	for _, url := range []string{
		"", "s3://data", "s3://data/corpora/", "s3://data/corpora/" + sum[1:], "s3://data/models/" + sum, "corpora/" + sum,
		"s3://data/corpora/" + sum + "/x", "s3://data/corpora/../" + sum, "s3://data/corpora/" + strings.ToUpper(sum), "s3://data/corpora/" + sum + "/\n",
	} {
		if l, err := parseLocation(url); err == nil {
			t.Errorf("%q is %+v", url, l)
		}
	}
}

// FuzzReadManifest holds that what is accepted names only files of its own folder, once
// each, of a size that is allowed, and is what encode writes.
func FuzzReadManifest(f *testing.F) {
	f.Add([]byte(text("posts.csv", "12", sum)))
	f.Add([]byte(text("../posts.csv", "12", sum)))
	f.Add([]byte(text("a", "-1", sum)))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := readManifest(data)
		if err != nil {
			if strings.ContainsRune(err.Error(), '\n') {
				t.Fatalf("%q is not one sentence", err)
			}
			return
		}
		seen := map[string]bool{}
		for _, f := range m.Files {
			if strings.ContainsAny(f.Name, "/\\\x00:") || strings.Trim(f.Name, ".") == "" || seen[f.Name] || f.Bytes < 0 {
				t.Fatalf("accepted %+v", f)
			}
			seen[f.Name] = true
		}
		if m.bytes() < 0 || m.bytes() > maxBytes {
			t.Fatalf("accepted %d bytes", m.bytes())
		}
		if again, sum, err := m.encode(); err != nil || !bytes.Equal(again, data) || sum != address(data) {
			t.Fatalf("written again it is %s, %v", again, err)
		}
	})
}
