package modelstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/hub"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/hub/hubtest"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/trainmemory"
)

const model = "owner/tiny-bert"

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// backbone makes a small one with a vocabulary and a file that is not its own.
func backbone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny-bert")
	c := pretrained.DefaultConfig()
	c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads, c.IntermediateSize, c.MaxPositionEmbeddings = 40, 8, 2, 2, 16, 32
	check(t, pretrained.Init(dir, c, 1))
	put(t, dir, "vocab.txt", []byte(strings.Repeat("a\n", 40)))
	put(t, dir, "README.md", []byte("a model\n"))
	return dir
}

func put(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
}

// files reads a folder's files, but for its record.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	all := map[string][]byte{}
	for _, e := range entries {
		if e.Name() != OriginFile {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			check(t, err)
			all[e.Name()] = data
		}
	}
	return all
}

// names of what lies in a folder, hidden or not.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func pulling(t *testing.T, s *hubtest.Server) Pulling {
	t.Helper()
	c, err := hub.New(s.URL, "")
	check(t, err)
	return Pulling{Client: c, Endpoint: s.URL, Name: model, Revision: "main"}
}

// stores opens one of each kind.
func stores(t *testing.T) map[string]Store {
	t.Helper()
	all := map[string]Store{}
	for kind, place := range map[string]string{"folder": filepath.Join(t.TempDir(), "models"), "bucket": objects.FileURL(t.TempDir()) + "/"} {
		s, done, err := Open(t.Context(), place)
		check(t, err)
		t.Cleanup(func() { check(t, done()) })
		all[kind] = s
	}
	return all
}

func TestImport(t *testing.T) {
	for kind, s := range stores(t) {
		t.Run(kind, func(t *testing.T) {
			if all, err := s.List(t.Context()); err != nil || len(all) != 0 {
				t.Errorf("an empty store: %v, %v", all, err)
			}
			dir := backbone(t)
			var done int64
			e, err := Import(t.Context(), s, "", dir, func(n, _ int64) { done = n })
			check(t, err)
			// 40×8 + 32×8 + 2×8 + 2×8 of embeddings; a layer: 4×(8×8+8), 8×16+16, 16×8+8, 4×8;
			// the pooler: 8×8+8.
			want := About{
				ModelType: "bert", Parameters: 608 + 2*(4*72+144+136+32) + 72, Layers: 2, Hidden: 8, Intermediate: 16, Heads: 2,
				Vocabulary: 40, MaxPositions: 32, Weights: "model.safetensors", Bytes: done,
			}
			if d := cmp.Diff(Entry{Name: "tiny-bert", Place: e.Place, About: want}, e); d != "" || done == 0 {
				t.Errorf("-want +got\n%s", d)
			}
			to := e.Place
			if dataref.IsURL(to) {
				to, err = (&dataref.Cache{Dir: t.TempDir()}).Folder(t.Context(), e.Place)
				check(t, err)
			}
			for name, content := range files(t, dir) {
				if got, err := os.ReadFile(filepath.Join(to, name)); name != "README.md" && !bytes.Equal(got, content) || name == "README.md" && err == nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			_, err = Import(t.Context(), s, "owner/other", dir, nil)
			check(t, err)
			all, err := s.List(t.Context())
			check(t, err)
			if len(all) != 2 || all[0].Name != "owner/other" || all[1].Name != "tiny-bert" {
				t.Errorf("it lists %+v", all)
			}
			if found, err := s.Find(t.Context(), "tiny-bert"); err != nil || !cmp.Equal(found, e) {
				t.Errorf("found %+v, %v", found, err)
			}
			if _, err := s.Find(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, mistake.Err) {
				t.Errorf("found none: %v", err)
			}
			if _, err := s.Find(t.Context(), "../x"); !errors.Is(err, mistake.Err) {
				t.Errorf("a name that leads elsewhere: %v", err)
			}
		})
	}
}

func TestImportRefuses(t *testing.T) {
	good := backbone(t)
	for kind, s := range stores(t) {
		_, err := Import(t.Context(), s, "taken", good, nil)
		check(t, err)
		cut := backbone(t)
		check(t, os.Truncate(filepath.Join(cut, "model.safetensors"), 1000))
		other := backbone(t)
		put(t, other, "tokenizer.json", []byte("{}"))
		for want, tt := range map[string]struct{ name, dir string }{
			"is not a folder":                  {"x", filepath.Join(good, "config.json")},
			"no name of a model":               {"../x", good},
			"config.json does not exist":       {"x", t.TempDir()},
			"the file is damaged or cut short": {"x", cut},
			"choose another":                   {"taken", other},
		} {
			if _, err := Import(t.Context(), s, tt.name, tt.dir, nil); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want …%s…", kind, err, want)
			}
		}
		if _, err := s.Add(t.Context(), "../x", good, nil); err == nil {
			t.Errorf("%s: a name that leads elsewhere", kind)
		}
		if _, err := s.Add(t.Context(), "x", t.TempDir(), nil); err == nil {
			t.Errorf("%s: an empty folder", kind)
		}
		lost := backbone(t)
		put(t, lost, OriginFile, []byte("{"))
		if _, err := Import(t.Context(), s, "lost", lost, nil); err == nil || !strings.Contains(err.Error(), "not the record of a download") {
			t.Errorf("%s: a broken record: %v", kind, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Import(ctx, s, "late", good, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: stopped: %v", kind, err)
		}
		if all, err := s.List(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("%s: it holds %v, %v", kind, all, err)
		}
	}
	if _, _, err := Open(t.Context(), ""); !errors.Is(err, mistake.Err) {
		t.Errorf("no store: %v", err)
	}
	if _, _, err := Open(t.Context(), "ftp://x"); !errors.Is(err, mistake.Err) {
		t.Errorf("another store: %v", err)
	}
}

// The same again is no error in a bucket, where a place is named by its content.
func TestImportAgain(t *testing.T) {
	s, dir := stores(t)["bucket"], backbone(t)
	first, err := Import(t.Context(), s, "a", dir, nil)
	check(t, err)
	if again, err := Import(t.Context(), s, "a", dir, nil); err != nil || !cmp.Equal(first, again) {
		t.Errorf("got %+v, %v", again, err)
	}
}

// A store lists what it cannot use, with the reason.
func TestListFaults(t *testing.T) {
	f := Folder(t.TempDir())
	check(t, os.MkdirAll(filepath.Join(string(f), "broken"), 0o700))
	put(t, filepath.Join(string(f), "broken"), "config.json", []byte("{"))
	check(t, os.MkdirAll(filepath.Join(string(f), "a", "b", "c"), 0o700))
	check(t, os.MkdirAll(filepath.Join(string(f), ".x.pull"), 0o700))
	put(t, string(f), "a-file", nil)
	put(t, filepath.Join(string(f), "a", "b", "c"), "config.json", []byte("too deep"))
	all, err := f.List(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != "broken" || !strings.Contains(all[0].Fault, "config.json") {
		t.Errorf("got %+v, %v", all, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.List(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}

	s, done, err := Open(t.Context(), objects.FileURL(t.TempDir()))
	check(t, err)
	defer func() { _ = done() }()
	b := s.(*Bucket)
	for k, content := range map[string]string{
		"models/broken.json": "{", "models/other.json": `{"schema_version":1,"name":"x"}`, "models/new.json": `{"schema_version":2,"name":"new"}`,
		"models/a/b/c.json": "{}", "models/readme.txt": "",
	} {
		check(t, b.objects.Write(t.Context(), k, []byte(content)))
	}
	all, err = b.List(t.Context())
	check(t, err)
	var got []string
	for _, e := range all {
		got = append(got, e.Name+": "+e.Fault[strings.LastIndex(e.Fault, ": ")+2:])
	}
	if d := cmp.Diff([]string{"broken: it does not say where a backbone lies", "new: schema_version is 2, this supermax reads 1", "other: it does not say where a backbone lies"}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestPull(t *testing.T) {
	want := files(t, backbone(t))
	want["tf_model.h5"], want["pytorch_model.bin"] = []byte("large and useless"), []byte("the same again")
	for kind, s := range stores(t) {
		t.Run(kind, func(t *testing.T) {
			server := hubtest.New(t, model, want)
			p := pulling(t, server)
			var licence string
			var told, done, total int64
			p.Described = func(r *hub.Repository, bytes int64) { licence, told = r.License, bytes }
			p.Progress = func(d, of int64) { done, total = d, of }
			cache := t.TempDir()
			e, fresh, err := PullInto(t.Context(), s, cache, p, nil)
			check(t, err)
			size := int64(len(want["config.json"]) + len(want["model.safetensors"]) + len(want["vocab.txt"]))
			if !fresh || licence != "apache-2.0" || told != size || done != size || total != size || e.About.Bytes != size {
				t.Errorf("fresh %v, licence %q, %d bytes told, %d of %d fetched, %d there; want %d", fresh, licence, told, done, total, e.About.Bytes, size)
			}
			fact := func(name string) OriginFact {
				return OriginFact{name, int64(len(want[name])), hubtest.SHA256(want[name])}
			}
			if d := cmp.Diff(&Origin{
				SchemaVersion: 1, Endpoint: server.URL, Repository: model, Revision: "main", Commit: hubtest.Commit, License: "apache-2.0",
				Files: []OriginFact{fact("config.json"), fact("model.safetensors"), fact("vocab.txt")},
			}, e.Origin); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			for _, r := range server.Requests() {
				if strings.Contains(r.URL.Path, "h5") || strings.Contains(r.URL.Path, ".bin") || strings.Contains(r.URL.Path, "README") {
					t.Errorf("asked for %s", r.URL.Path)
				}
			}
			if f, ok := s.(Folder); ok {
				if d := cmp.Diff([]string{"config.json", "model.safetensors", OriginFile, "vocab.txt"}, names(t, e.Place)); d != "" {
					t.Errorf("-want +got\n%s", d)
				}
				if d := cmp.Diff([]string{"tiny-bert"}, names(t, filepath.Join(string(f), "owner"))); d != "" {
					t.Errorf("left: -want +got\n%s", d)
				}
			} else if left := names(t, filepath.Join(cache, "owner")); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			before := len(server.Requests())
			again, fresh, err := PullInto(t.Context(), s, cache, p, nil)
			if _, ok := s.(Folder); ok && (err != nil || fresh || !cmp.Equal(again, e) || len(server.Requests()) != before+1) {
				t.Errorf("again: %+v, %v, %v, %d requests", again, fresh, err, len(server.Requests())-before)
			}
		})
	}
}

// A pull that was stopped leaves no folder; the same call goes on where it was.
func TestPullGoesOn(t *testing.T) {
	want := files(t, backbone(t))
	server := hubtest.New(t, model, want)
	ctx, cancel := context.WithCancel(t.Context())
	server.Spoil(func(w http.ResponseWriter, r *http.Request, n int, content []byte) bool {
		if !r.URL.Query().Has("signature") || n > 1 {
			return false
		}
		_, _ = w.Write(content[:1000])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	})
	parent := t.TempDir()
	dir := filepath.Join(parent, "tiny")
	p := pulling(t, server)
	p.Progress = func(done, _ int64) {
		if done == int64(len(want["config.json"])+1000) {
			cancel()
		}
	}
	if _, _, err := Pull(ctx, dir, p); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: %v", err)
	}
	if d := cmp.Diff([]string{".tiny.pull"}, names(t, parent)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	o, fresh, err := Pull(t.Context(), dir, p)
	check(t, err)
	requests := server.Requests()
	var got string
	for _, r := range requests {
		if r.URL.Query().Has("signature") {
			got = r.Header.Get("Range")
		}
	}
	if !fresh || got != "bytes=1000-" || len(o.Files) != 3 {
		t.Errorf("fresh %v, asked for %q, %+v", fresh, got, o)
	}
	if d := cmp.Diff([]string{"tiny"}, names(t, parent)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	check(t, os.Remove(filepath.Join(dir, "vocab.txt")))
	if _, _, err := Pull(t.Context(), dir, p); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "or lacks a file") {
		t.Errorf("a folder that lost a file: %v", err)
	}
}

// What is on its way from another commit is not mixed with this one's.
func TestPullAfterTheRepositoryMoved(t *testing.T) {
	server := hubtest.New(t, model, files(t, backbone(t)))
	parent := t.TempDir()
	part := filepath.Join(parent, ".tiny.pull")
	check(t, os.MkdirAll(filepath.Join(part, "folder"), 0o700))
	put(t, part, "spm.model", []byte("of another commit"))
	check(t, (&Origin{SchemaVersion: 1, Repository: model, Commit: strings.Repeat("f", 40)}).write(part))
	_, _, err := Pull(t.Context(), filepath.Join(parent, "tiny"), pulling(t, server))
	check(t, err)
	if d := cmp.Diff([]string{"config.json", "model.safetensors", OriginFile, "vocab.txt"}, names(t, filepath.Join(parent, "tiny"))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	server.Info = func(i map[string]any) { i["sha"] = strings.Repeat("e", 40) }
	if _, _, err := Pull(t.Context(), filepath.Join(parent, "tiny"), pulling(t, server)); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "choose another folder") {
		t.Errorf("a folder of another commit: %v", err)
	}
}

func TestPullShards(t *testing.T) {
	dir := backbone(t)
	w, err := pretrained.Load(dir)
	check(t, err)
	content := files(t, dir)
	delete(content, "model.safetensors")
	where := map[string]string{}
	for i, shard := range []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"} {
		var tensors []safetensors.Tensor
		for _, p := range w.Params[i*10:][:10+i*(len(w.Params)-20)] {
			tensors = append(tensors, safetensors.Tensor{Name: p.Name, Shape: p.Shape, Float32s: p.Data})
			where[p.Name] = shard
		}
		var b bytes.Buffer
		check(t, safetensors.Write(&b, nil, tensors))
		content[shard] = b.Bytes()
	}
	index, err := json.Marshal(map[string]any{"weight_map": where})
	check(t, err)
	content["model.safetensors.index.json"] = index
	server := hubtest.New(t, model, content)
	to := filepath.Join(t.TempDir(), "tiny")
	o, _, err := Pull(t.Context(), to, pulling(t, server))
	check(t, err)
	if len(o.Files) != 5 {
		t.Errorf("it has %+v", o.Files)
	}
	if a, err := Check(to); err != nil || a.Weights != "model.safetensors.index.json" {
		t.Errorf("%+v, %v", a, err)
	}
}

// What is no backbone is refused, at once where the configuration says so, and leaves nothing.
func TestPullRefuses(t *testing.T) {
	whole := files(t, backbone(t))
	for want, edit := range map[string]func(map[string][]byte){
		"there is no config.json":               func(f map[string][]byte) { delete(f, "config.json") },
		"there are no weights":                  func(f map[string][]byte) { delete(f, "model.safetensors") },
		"read config.json: model_type \"gpt2\"": func(f map[string][]byte) { f["config.json"] = []byte(`{"model_type":"gpt2"}`) },
		"read model.safetensors: not a valid":   func(f map[string][]byte) { f["model.safetensors"] = []byte("rubbish!!") },
		"its index names model-9.safetensors, which it does": func(f map[string][]byte) {
			delete(f, "model.safetensors")
			f["model.safetensors.index.json"] = []byte(`{"weight_map":{"a":"model-9.safetensors"}}`)
		},
		"which is no file of weights beside it": func(f map[string][]byte) {
			delete(f, "model.safetensors")
			f["model.safetensors.index.json"] = []byte(`{"weight_map":{"a":"../../x.safetensors"}}`)
		},
	} {
		content := map[string][]byte{}
		for name, b := range whole {
			content[name] = b
		}
		edit(content)
		server := hubtest.New(t, model, content)
		parent := t.TempDir()
		_, _, err := Pull(t.Context(), filepath.Join(parent, "tiny"), pulling(t, server))
		if !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), model) {
			t.Errorf("got %v, want …%s…", err, want)
		}
		if left := names(t, parent); len(left) != 0 {
			t.Errorf("%s: left %v", want, left)
		}
		if strings.Contains(want, "gpt2") {
			for _, r := range server.Requests() {
				if strings.Contains(r.URL.Path, "safetensors") {
					t.Error("the weights of what cannot be used were asked for")
				}
			}
		}
	}
	server := hubtest.New(t, model, whole)
	full := t.TempDir()
	put(t, full, "x", nil)
	if _, _, err := Pull(t.Context(), full, pulling(t, server)); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a folder in use: %v", err)
	}
	if _, _, err := Pull(t.Context(), filepath.Join(full, "x"), pulling(t, server)); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("a file: %v", err)
	}
	p := pulling(t, server)
	p.Name = "../x"
	if _, _, err := PullInto(t.Context(), Folder(full), "", p, nil); !errors.Is(err, mistake.Err) {
		t.Errorf("a name that leads elsewhere: %v", err)
	}
	p.Name = "owner/none"
	if _, _, err := PullInto(t.Context(), stores(t)["bucket"], t.TempDir(), p, nil); !errors.Is(err, mistake.Err) {
		t.Errorf("no such model: %v", err)
	}
	// Two at once.
	o := &Origin{SchemaVersion: 1, Endpoint: server.URL, Repository: model, Commit: hubtest.Commit}
	parent := t.TempDir()
	lock, err := enter(filepath.Join(parent, ".tiny.pull"), o)
	check(t, err)
	defer func() { _ = lock.Close() }()
	if _, _, err := Pull(t.Context(), filepath.Join(parent, "tiny"), pulling(t, server)); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("two at once: %v", err)
	}
}

func TestOriginFile(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{"{": "not the record of a download", `{"schema_version":7}`: "schema_version is 7"} {
		put(t, dir, OriginFile, []byte(content))
		if _, err := readOrigin(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
}

func TestMemory(t *testing.T) {
	a, err := Look(backbone(t))
	check(t, err)
	need, err := a.Memory(trainmemory.Step{Batch: 2, Length: 4})
	if err != nil || need.State != 16*a.Parameters {
		t.Errorf("%+v, %v", need, err)
	}
	if _, err := a.Memory(trainmemory.Step{}); !errors.Is(err, mistake.Err) {
		t.Errorf("no batch: %v", err)
	}
}
