package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadInput gives the command what users give by mistake. Every case must end with
// status 2 and one sentence that names the place and what is allowed, and leave no run
// folder behind.
func TestBadInput(t *testing.T) {
	p := newPlace(t)
	good := p.read("study.yaml")
	edit := func(old, with string) func(*testing.T) {
		return func(t *testing.T) {
			if !strings.Contains(good, old) {
				t.Fatalf("the study file has no %q", old)
			}
			p.write("bad.yaml", strings.Replace(good, old, with, 1))
		}
	}
	// corpus points the study at a corpus of its own, with one file replaced.
	corpus := func(name, text string) func(*testing.T) {
		return func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range []string{"posts.csv", "groundtruth.csv"} {
				data, err := os.ReadFile(filepath.Join(root(), "data/sample/groundtruth", f))
				if err != nil {
					t.Fatal(err)
				}
				if f == name {
					data = []byte(text)
				}
				if err := os.WriteFile(filepath.Join(dir, f), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p.write("bad.yaml", strings.Replace(good, root()+"/data/sample/groundtruth", dir, 1))
		}
	}
	redsm5 := func(annotations string) func(*testing.T) {
		return func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"posts.csv": "post_id,text\np1,one\n", "annotations.csv": annotations} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p.write("bad.yaml", strings.NewReplacer(root()+"/data/sample/groundtruth", dir, "layout: groundtruth", "layout: redsm5").Replace(good))
		}
	}
	var onlyZeros string
	{
		data, err := os.ReadFile(filepath.Join(root(), "data/sample/groundtruth/groundtruth.csv"))
		if err != nil {
			t.Fatal(err)
		}
		onlyZeros = strings.ReplaceAll(string(data), ",1\n", ",0\n")
	}
	// model points the study at a damaged copy of its backbone.
	model := func(name string, damage func([]byte) []byte) func(*testing.T) {
		return func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(p.dir, "models/tiny/*"))
			if err != nil || len(files) == 0 {
				t.Fatal("the place has no backbone")
			}
			dir := t.TempDir()
			for _, f := range files {
				data, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				if filepath.Base(f) == name {
					data = damage(data)
				}
				if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p.write("bad.yaml", strings.Replace(good, "models/tiny", dir, 1))
		}
	}
	cases := []struct {
		name  string
		setup func(*testing.T)
		args  []string
		want  []string // in the message
	}{
		{"unknown key", edit("seed: 7", "sead: 7"), nil, []string{"bad.yaml:4", "sead", "seed"}},
		{"unknown parameter", edit("optim.name:", "optim.nam:"), nil, []string{"bad.yaml:16", "optim.nam"}},
		{"value not allowed", edit("[adamw]", "[sgd]"), nil, []string{"bad.yaml:16", "sgd", "adamw"}},
		{"not yet implemented", edit("[adamw]", "[adamw, lion]"), nil, []string{"optim.name", "lion", "not yet implemented"}},
		{"range outside", edit("low: 3e-4", "low: 1e-9"), nil, []string{"bad.yaml:17", "optim.lr", "1e-06"}},
		{"agent", edit("agent: criteria", "agent: sentiment"), nil, []string{"bad.yaml:3", "sentiment", "criteria"}},
		{"no such file", func(*testing.T) { _ = os.Remove(filepath.Join(p.dir, "bad.yaml")) }, nil, []string{"bad.yaml"}},
		{"no such corpus", edit("data/sample/groundtruth", "data/nothing"), nil, []string{"data/nothing"}},
		{"no such model", edit("models/tiny", "models/none"), nil, []string{"models/none"}},
		{"unknown criterion", edit("sleep_issues", "sleeplessness"), nil, []string{"sleeplessness", "sleep_issues"}},
		{"missing column", corpus("posts.csv", "post_id,body\np1,hello\n"), nil, []string{"posts.csv", "text"}},
		{"empty file", corpus("posts.csv", ""), nil, []string{"posts.csv", "empty"}},
		{"label", corpus("groundtruth.csv", "post_id,criterion_id,label\npost-0001,fatigue,2\n"), nil, []string{"groundtruth.csv", "row 1", "label", "0 or 1"}},
		{"duplicate post", corpus("posts.csv", "post_id,text\np1,one\np1,two\n"), nil, []string{"posts.csv", "row 2", "p1"}},
		{"not UTF-8", corpus("posts.csv", "post_id,text\np1,a\xff\n"), nil, []string{"posts.csv", "row 1", "UTF-8"}},
		{"one class only", corpus("groundtruth.csv", onlyZeros), nil, []string{"split", "label 1"}},
		{"sentence of no post", redsm5("post_id,sentence_id,sentence_text,DSM5_symptom,status,explanation\nnobody,s1,one,FATIGUE,1,\n"), nil, []string{"annotations.csv", "row 1", "nobody"}},
		{"truncated weights", model("model.safetensors", func(b []byte) []byte { return b[:len(b)/2] }), nil, []string{"model.safetensors"}},
		{"corrupt weights", model("model.safetensors", func(b []byte) []byte { return append([]byte{255, 255, 255, 255, 255}, b[5:]...) }), nil, []string{"model.safetensors"}},
		{"vocabulary size", model("vocab.txt", func(b []byte) []byte { return append(b, "onemore\n"...) }), nil, []string{"vocab"}},
		{"slots", edit("seed: 7", "seed: 7"), []string{"--slots", "-1"}, []string{"--slots -1", "1024"}},
		{"unknown flag", edit("seed: 7", "seed: 7"), []string{"--slot", "1"}, []string{"--slot"}},
		{"trainer", edit("seed: 7", "seed: 7"), []string{"--trainer", "nowhere"}, []string{"nowhere"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.setup(t)
			_, stderr, status := p.exec(append([]string{"run", "bad.yaml"}, c.args...)...)
			checkRefusal(t, stderr, status, c.want)
			if _, err := os.Stat(filepath.Join(p.dir, "runs")); err == nil {
				t.Error("a run folder was made")
				_ = os.RemoveAll(filepath.Join(p.dir, "runs"))
			}
		})
	}
	t.Run("port in use", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
		_, stderr, status := p.exec("run", "study.yaml", "--port", port)
		checkRefusal(t, stderr, status, []string{port, "in use"})
		if _, err := os.Stat(filepath.Join(p.dir, "runs")); err == nil {
			t.Error("a run folder was made")
		}
	})
}

// TestRefusesAnotherRunFolder starts studies on run folders that are not theirs.
func TestRefusesAnotherRunFolder(t *testing.T) {
	p := newPlace(t)
	p.ok("stage", "a", "study.yaml", "--slots", "2")
	before := p.read("runs/small/run.json")

	good := p.read("study.yaml")
	p.write("study.yaml", strings.Replace(good, "seed: 7", "seed: 8", 1))
	_, stderr, status := p.exec("run", "study.yaml")
	checkRefusal(t, stderr, status, []string{"runs/small", "seed"})
	p.write("study.yaml", good)

	var info map[string]any
	if err := json.Unmarshal([]byte(before), &info); err != nil {
		t.Fatal(err)
	}
	info["schema_version"] = 99
	newer, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	p.write("runs/small/run.json", string(newer))
	_, stderr, status = p.exec("run", "study.yaml")
	checkRefusal(t, stderr, status, []string{"run.json", "99", "newer"})
	_, stderr, status = p.exec("status", "small")
	checkRefusal(t, stderr, status, []string{"run.json", "99", "newer"})
	_, stderr, status = p.exec("status", "nothing")
	checkRefusal(t, stderr, status, []string{"nothing"})
}

func checkRefusal(t *testing.T, stderr string, status int, want []string) {
	t.Helper()
	if status != 2 {
		t.Errorf("exit status %d, want 2", status)
	}
	if n := strings.Count(strings.TrimSpace(stderr), "\n"); n != 0 {
		t.Errorf("%d lines, want one:\n%s", n+1, stderr)
	}
	for _, w := range want {
		if !strings.Contains(stderr, w) {
			t.Errorf("the message lacks %q:\n%s", w, stderr)
		}
	}
	t.Log(strings.TrimSpace(stderr))
}
