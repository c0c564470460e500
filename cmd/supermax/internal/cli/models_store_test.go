package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/hub/hubtest"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/modelstore"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// checkpoint makes a small backbone.
func checkpoint(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	c := pretrained.DefaultConfig()
	c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads, c.IntermediateSize, c.MaxPositionEmbeddings = 40, 8, 1, 2, 16, 32
	if err := pretrained.Init(dir, c, 1); err != nil {
		t.Fatal(err)
	}
	return dir
}

// hubOf serves a backbone as owner/tiny, and makes the environment name the server.
func hubOf(t *testing.T, dir string) *hubtest.Server {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	s := hubtest.New(t, "owner/tiny", files)
	t.Setenv("HF_ENDPOINT", s.URL)
	t.Setenv("HF_TOKEN", "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	return s
}

func TestModelsPull(t *testing.T) {
	server := hubOf(t, checkpoint(t))
	for kind, store := range map[string]string{"folder": t.TempDir(), "bucket": objects.FileURL(t.TempDir())} {
		out, told := good(t, "models", "pull", "owner/tiny", "--store", store)
		if !strings.Contains(out, ": bert, 0.0 M parameters, ") || !strings.Contains(told, "owner/tiny at commit 0123456789ab: ") || !strings.Contains(told, "licence: apache-2.0") {
			t.Errorf("%s: prints %q and %q", kind, out, told)
		}
		out, _ = good(t, "models", "list", "--store", store)
		if lines := strings.Split(out, "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], "owner/tiny") || !strings.Contains(lines[1], "0123456789ab") {
			t.Errorf("%s: lists %q", kind, out)
		}
		out, _ = good(t, "models", "inspect", "owner/tiny", "--store", store, "--batch", "2", "--length", "16", "--checkpointing", "--amp")
		for _, want := range []string{"parameters", "1, of hidden size 8", "weights in model.safetensors", "owner/tiny at commit " + hubtest.Commit, "2 rows of 16 tokens", "16-bit activations, gradient checkpointing", "together"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: inspect prints %q without %q", kind, out, want)
			}
		}
		if kind == "folder" {
			if out, _ = good(t, "models", "pull", "owner/tiny", "--store", store); !strings.HasSuffix(out, "tiny is there already\n") {
				t.Errorf("again it prints %q", out)
			}
		}
	}
	dir := filepath.Join(t.TempDir(), "x")
	if out, _ := good(t, "models", "pull", "owner/tiny", dir); !strings.HasPrefix(out, dir+": bert") {
		t.Errorf("into a folder it prints %q", out)
	}
	server.Info = func(i map[string]any) { i["tags"] = nil }
	if _, told := good(t, "models", "pull", "owner/tiny", filepath.Join(t.TempDir(), "y")); !strings.Contains(told, "licence: not named") {
		t.Errorf("without a licence it tells %q", told)
	}
	refuses(t, []string{"models", "pull", "owner/none", dir}, "there is no such model")
	refuses(t, []string{"models", "pull", "owner/tiny", dir, "--store", "x"}, "--store has no meaning with DIR")
	refuses(t, []string{"models", "pull"}, "supermax models pull takes 1 to 2 arguments and got 0: supermax models pull NAME [DIR]")
	refuses(t, []string{"models", "pull", "a", "--store", "ftp://x"}, "is not supported")
	t.Setenv("HF_ENDPOINT", "http://example.com")
	refuses(t, []string{"models", "pull", "owner/tiny"}, "HF_ENDPOINT")
}

func TestModelsImportAndInspect(t *testing.T) {
	dir, store := checkpoint(t), t.TempDir()
	if out, _ := good(t, "models", "import", dir, "--store", store); !strings.HasPrefix(out, filepath.Join(store, "tiny")+": bert") {
		t.Errorf("prints %q", out)
	}
	refuses(t, []string{"models", "import", dir, "--store", store}, "is not empty; choose another folder")
	refuses(t, []string{"models", "import", store, "--store", store, "--name", "x"}, "config.json does not exist")
	if err := os.MkdirAll(filepath.Join(store, "broken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(store, "broken", "config.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := good(t, "models", "list", "--store", store); !strings.Contains(out, "broken  unusable: ") || !strings.Contains(out, "tiny ") {
		t.Errorf("lists %q", out)
	}
	out, _ := good(t, "models", "list", "--store", store, "--json")
	var all []modelstore.Entry
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != 2 || all[1].About.Layers != 1 {
		t.Errorf("lists %q, %v", out, err)
	}
	out, _ = good(t, "models", "inspect", dir, "--json")
	var i inspection
	if err := json.Unmarshal([]byte(out), &i); err != nil || i.Place != dir || i.Need.State != 16*i.About.Parameters || i.Step.Batch != 16 {
		t.Errorf("inspect prints %q, %v", out, err)
	}
	if out, _ := good(t, "models", "inspect", dir); !strings.Contains(out, "16 rows of 256 tokens a step with AdamW (float32)") {
		t.Errorf("inspect prints %q", out)
	}
	refuses(t, []string{"models", "inspect", "none", "--store", store}, "none is no folder with a config.json, and the store "+store+" has no backbone none")
	refuses(t, []string{"models", "inspect", dir, "--batch", "0"}, "batch size is 0, allowed is 1 to 65536")
}

func TestTransfer(t *testing.T) {
	var b bytes.Buffer
	at := time.Unix(0, 0)
	shown := newTransfer(&b, "x", func() time.Time { return at })
	for _, done := range []int64{1e6, 2e6, 3e6, 9e6} {
		shown.show(done, 1e7)
		at = at.Add(3 * time.Second)
	}
	shown.end()
	if want := "x: 3.0 of 10.0 MB, 0.3 MB/s\n"; b.String() != want {
		t.Errorf("in a log: %q, want %q", b.String(), want)
	}
	b.Reset()
	shown.inPlace = true
	shown.show(1e7, 1e7)
	shown.end()
	shown.end()
	if want := "\rx: 10.0 of 10.0 MB, 0.8 MB/s\x1b[K\r\x1b[K"; b.String() != want {
		t.Errorf("on a terminal: %q, want %q", b.String(), want)
	}
}

// Ctrl-C ends a pull; the same command goes on with what came.
func TestModelsPullInterrupted(t *testing.T) {
	server := hubOf(t, checkpoint(t))
	came := make(chan struct{})
	var ranges []string
	server.Spoil(func(w http.ResponseWriter, r *http.Request, n int, content []byte) bool {
		if !r.URL.Query().Has("signature") {
			return false
		}
		ranges = append(ranges, r.Header.Get("Range"))
		if n > 1 {
			return false
		}
		_, _ = w.Write(content[:500])
		_ = http.NewResponseController(w).Flush()
		close(came)
		<-r.Context().Done()
		return true
	})
	store := t.TempDir()
	args := []string{"models", "pull", "owner/tiny", "--store", store}
	cmd, stderr := start(t, "", args...)
	<-came
	part := filepath.Join(store, "owner", ".tiny.pull", "model.safetensors.part")
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(part); err == nil && info.Size() == 500 {
			break
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if status, _ := ended(t, cmd); status != exitInterrupted || !strings.HasSuffix(stderr.String(), "supermax: stopped; the same command goes on from here\n") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if _, err := os.Stat(filepath.Join(store, "owner", "tiny")); err == nil {
		t.Error("half a backbone is in the store")
	}
	if out, _ := good(t, args...); !strings.Contains(out, ": bert") || len(ranges) != 2 || ranges[1] != "bytes=500-" {
		t.Errorf("prints %q, asked for %q", out, ranges)
	}
}
