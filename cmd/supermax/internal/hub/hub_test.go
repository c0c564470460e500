package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/hub/hubtest"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

const model = "owner/tiny-bert"

// weights is a file of many blocks.
func weights() []byte {
	b := make([]byte, 1<<20+7)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

// client is a client that does not wait, and notes how long it would have.
func client(t *testing.T, s *hubtest.Server, token string) (*Client, *[]time.Duration) {
	t.Helper()
	c, err := New(s.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	var waits []time.Duration
	c.pause = func(ctx context.Context, d time.Duration) error { waits = append(waits, d); return ctx.Err() }
	return c, &waits
}

func server(t *testing.T) *hubtest.Server {
	return hubtest.New(t, model, map[string][]byte{"config.json": []byte(`{"a":1}`), "model.safetensors": weights(), "empty.txt": nil})
}

// fetch downloads a file into dir and compares it with the server's.
func fetch(t *testing.T, c *Client, s *hubtest.Server, dir, name string) error {
	t.Helper()
	r, err := c.Repository(t.Context(), model, "main")
	if err != nil {
		return err
	}
	f, ok := r.Lookup(name)
	if !ok {
		t.Fatalf("no %s", name)
	}
	var came int64
	got, err := c.Download(t.Context(), r, f, filepath.Join(dir, name), func(n int64) { came += n })
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || string(data) != string(s.Files[name]) {
		t.Errorf("%s came with %d bytes, %v", name, len(data), err)
	}
	if want := (File{name, int64(len(data)), hubtest.SHA256(data), f.GitSHA}); got != want || came != want.Bytes {
		t.Errorf("got %+v, %d bytes told; want %+v", got, came, want)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	return nil
}

func TestRepository(t *testing.T) {
	s := server(t)
	c, _ := client(t, s, "")
	r, err := c.Repository(t.Context(), model, "main")
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != model || r.Commit != hubtest.Commit || r.License != "apache-2.0" || len(r.Files) != 3 {
		t.Errorf("got %+v", r)
	}
	if _, ok := r.Lookup("none"); ok {
		t.Error("found a file that is not there")
	}
	for _, name := range []string{"config.json", "model.safetensors", "empty.txt"} {
		if err := fetch(t, c, s, t.TempDir(), name); err != nil {
			t.Error(err)
		}
	}
}

func TestRepositoryRefuses(t *testing.T) {
	s := server(t)
	c, _ := client(t, s, "")
	for _, tt := range []struct{ name, revision, want string }{
		{"../x", "main", "no name of a model"},
		{"a/b/c", "main", "no name of a model"},
		{"a..b", "main", "no name of a model"},
		{model, "../x", "no revision"},
		{model, "", "no revision"},
		{"owner/other", "main", "404 Not Found: there is no such model"},
	} {
		if _, err := c.Repository(t.Context(), tt.name, tt.revision); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s@%s: %v, want …%s…", tt.name, tt.revision, err, tt.want)
		}
	}
	for name, tt := range map[string]struct {
		info func(map[string]any)
		want string
	}{
		"commit":  {func(i map[string]any) { i["sha"] = "main" }, "which cannot be"},
		"id":      {func(i map[string]any) { i["id"] = "../../x" }, "which cannot be"},
		"hash":    {func(i map[string]any) { i["siblings"] = []any{map[string]any{"rfilename": "a", "blobId": "x"}} }, `the file "a" wrongly`},
		"size":    {func(i map[string]any) { i["siblings"] = []any{map[string]any{"rfilename": "a", "size": -9}} }, `the file "a" wrongly`},
		"no list": {func(i map[string]any) { i["siblings"] = "x" }, "not the description of a model"},
	} {
		s.Info = tt.info
		if _, err := c.Repository(t.Context(), model, "main"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want …%s…", name, err, tt.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, endpoint := range []string{"huggingface.co", "http://huggingface.co", "ftp://x", "https://user:secret@x", "https://x?y", "http://10.0.0.1"} {
		if _, err := New(endpoint, ""); !errors.Is(err, mistake.Err) {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if _, err := New("", "hf_a\nb"); !errors.Is(err, mistake.Err) || strings.Contains(err.Error(), "hf_a") {
		t.Errorf("a token of two lines: %v", err)
	}
	if c, err := New("", "hf_a"); err != nil || c.endpoint.String() != DefaultEndpoint {
		t.Errorf("the default: %v", err)
	}
	if c, err := New("https://mirror.example/hub/", ""); err != nil ||
		c.place(&Repository{Name: "a/b", Commit: "c"}, "d").String() != "https://mirror.example/hub/a/b/resolve/c/d" {
		t.Errorf("a mirror below a path: %v", err)
	}
}

// The token goes to the hub alone, not to where it redirects, and is in no error.
func TestToken(t *testing.T) {
	s := server(t)
	s.Token = "hf_verysecret"
	c, _ := client(t, s, "")
	if _, err := c.Repository(t.Context(), model, "main"); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "set HF_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
	before := len(s.Requests())
	c, _ = client(t, s, s.Token)
	if err := fetch(t, c, s, t.TempDir(), "model.safetensors"); err != nil {
		t.Fatal(err)
	}
	sent := map[bool]int{}
	for _, r := range s.Requests()[before:] {
		onHub := "http://"+r.Host == s.URL
		if got := r.Header.Get("Authorization"); onHub != (got == "Bearer "+s.Token) || !onHub && got != "" {
			t.Errorf("%s got the token: %v", r.Host, got != "")
		}
		sent[onHub]++
	}
	if sent[true] != 2 || sent[false] != 1 {
		t.Errorf("requests: %v", sent)
	}
	s.Spoil(func(w http.ResponseWriter, _ *http.Request, _ int, _ []byte) bool {
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	if _, err := c.Repository(t.Context(), model, "main"); err == nil || strings.Contains(err.Error(), s.Token) || !strings.Contains(err.Error(), "500 Internal Server Error (tried 8 times)") {
		t.Errorf("an error: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	s := server(t)
	c, _ := client(t, s, "")
	for location, want := range map[string]string{
		"http://example.com/x": "example.com, which is not HTTPS",
		"/owner/tiny-bert/resolve/" + hubtest.Commit + "/config.json": "more than 10 redirects",
	} {
		s.Spoil(func(w http.ResponseWriter, r *http.Request, _ int, content []byte) bool {
			if content != nil {
				http.Redirect(w, r, location, http.StatusTemporaryRedirect)
			}
			return content != nil
		})
		if err := fetch(t, c, s, t.TempDir(), "config.json"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("to %s: %v, want …%s…", location, err, want)
		}
	}
}

// A model that was renamed is found under its former name.
func TestRenamed(t *testing.T) {
	s := server(t)
	s.Token = "hf_token"
	s.Spoil(func(w http.ResponseWriter, r *http.Request, _ int, _ []byte) bool {
		old := strings.HasPrefix(r.URL.Path, "/api/models/tiny-bert/")
		if old {
			http.Redirect(w, r, strings.Replace(r.URL.RequestURI(), "tiny-bert", model, 1), http.StatusTemporaryRedirect)
		}
		return old
	})
	c, _ := client(t, s, s.Token)
	if r, err := c.Repository(t.Context(), "tiny-bert", "main"); err != nil || r.Name != model || r.Files[0].Bytes < 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

// breakOff sends part of a body and breaks the connection off.
func breakOff(w http.ResponseWriter, content []byte, from, to int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)-from))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(content[from:to])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// onStorage reports whether a request is for the bytes of a large file.
func onStorage(r *http.Request) bool { return r.URL.Query().Has("signature") }

func TestDownloadGoesOn(t *testing.T) {
	s := server(t)
	content := s.Files["model.safetensors"]
	var ranges []string
	s.Spoil(func(w http.ResponseWriter, r *http.Request, n int, _ []byte) bool {
		if !onStorage(r) {
			return false
		}
		ranges = append(ranges, r.Header.Get("Range")+" if "+r.Header.Get("If-Range"))
		if n <= 12 { // more often than it would try without progress
			w.Header().Set("ETag", `"v1"`)
			breakOff(w, content, (n-1)*50_000, n*50_000)
		}
		w.Header().Set("ETag", `"v1"`)
		return false
	})
	c, _ := client(t, s, "")
	if err := fetch(t, c, s, t.TempDir(), "model.safetensors"); err != nil {
		t.Fatal(err)
	}
	if len(ranges) != 13 || ranges[0] != " if " || ranges[1] != `bytes=50000- if "v1"` || !strings.HasPrefix(ranges[12], "bytes=600000-") {
		t.Errorf("asked for %q", ranges)
	}
}

// Another call, of another process, goes on with what came.
func TestDownloadGoesOnLater(t *testing.T) {
	s := server(t)
	content := s.Files["model.safetensors"]
	dir := t.TempDir()
	c, _ := client(t, s, "")
	down := true
	s.Spoil(func(w http.ResponseWriter, r *http.Request, n int, _ []byte) bool {
		if down && onStorage(r) {
			if n == 1 {
				breakOff(w, content, 0, 300_000)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	if err := fetch(t, c, s, dir, "model.safetensors"); err == nil || !strings.Contains(err.Error(), "503 Service Unavailable (tried 8 times)") {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); err == nil {
		t.Error("the file is there before it is whole")
	}
	down = false
	before := len(s.Requests())
	if err := fetch(t, c, s, dir, "model.safetensors"); err != nil {
		t.Fatal(err)
	}
	if last := s.Requests()[len(s.Requests())-1]; last.Header.Get("Range") != "bytes=300000-" {
		t.Errorf("asked for %q", last.Header.Get("Range"))
	}
	if n := len(s.Requests()) - before; n != 3 {
		t.Errorf("%d requests", n)
	}
	before = len(s.Requests())
	if err := fetch(t, c, s, dir, "model.safetensors"); err != nil { // is there, whole
		t.Fatal(err)
	}
	if n := len(s.Requests()) - before; n != 1 {
		t.Errorf("%d requests for a file that is there", n)
	}
	if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fetch(t, c, s, dir, "model.safetensors"); err != nil { // is mended
		t.Fatal(err)
	}
}

// What a server may do wrong for a while, or for good.
func TestDownloadFaults(t *testing.T) {
	right := weights()
	wrong := append([]byte("x"), right[1:]...)
	send := func(w http.ResponseWriter, status int, header string, content []byte) {
		if key, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(key, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write(content)
	}
	for name, tt := range map[string]struct {
		spoil func(w http.ResponseWriter, n int)
		part  int    // bytes that are there before
		want  string // the error if it never stops
	}{
		"wrong bytes":        {func(w http.ResponseWriter, _ int) { send(w, 200, "", wrong) }, 0, "its bytes are not those that the hub's hash is of"},
		"too short a length": {func(w http.ResponseWriter, _ int) { send(w, 200, "", right[:100]) }, 0, "sends 100 bytes where the hub's list says 1048583"},
		"too long a length": {func(w http.ResponseWriter, _ int) {
			send(w, 200, "Content-Length: 1048584", append(right[:len(right):len(right)], 'x'))
		}, 0, "sends 1048584 bytes where"},
		"length beyond the bytes": {func(w http.ResponseWriter, _ int) { breakOff(w, right, 0, 0) }, 0, "broken off at byte 0 of 1048583"},
		"endless": {func(w http.ResponseWriter, _ int) {
			send(w, 200, "Transfer-Encoding: chunked", append(right[:len(right):len(right)], 'x'))
		}, 0, "sends more than the 1048583 bytes"},
		"another range":          {func(w http.ResponseWriter, _ int) { send(w, 206, "Content-Range: bytes 0-1048582/1048583", right) }, 7, ""}, // from its start at the second try
		"no such range":          {func(w http.ResponseWriter, _ int) { send(w, 416, "", nil) }, 7, "does not have the rest"},
		"range ignored":          {func(w http.ResponseWriter, _ int) { send(w, 200, "", right) }, 7, ""},
		"more there than it has": {func(w http.ResponseWriter, _ int) { send(w, 200, "", right) }, 2 << 20, ""},
		"busy":                   {func(w http.ResponseWriter, _ int) { send(w, 429, "Retry-After: 17", nil) }, 0, "429 Too Many Requests"},
		"gone":                   {func(w http.ResponseWriter, _ int) { send(w, 410, "", nil) }, 0, "there is no such model, revision or file"},
		"odd":                    {func(w http.ResponseWriter, _ int) { send(w, 451, "", nil) }, 0, "the server answers 451"},
		"too long a wait":        {func(w http.ResponseWriter, _ int) { send(w, 503, "Retry-After: 3600", nil) }, 0, "it asks to wait 1h0m0s"},
	} {
		for _, stops := range []bool{false, true} {
			if stops && (tt.part > 0 && tt.want == "" || slices.Contains([]string{"gone", "odd", "too long a wait"}, name)) {
				continue
			}
			t.Run(fmt.Sprintf("%s, stops %v", name, stops), func(t *testing.T) {
				s := server(t)
				s.Spoil(func(w http.ResponseWriter, r *http.Request, n int, _ []byte) bool {
					if !onStorage(r) || stops && n > 1 {
						return false
					}
					tt.spoil(w, n)
					return true
				})
				dir := t.TempDir()
				if tt.part > 0 {
					if err := os.WriteFile(filepath.Join(dir, "model.safetensors.part"), make([]byte, tt.part), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				c, waits := client(t, s, "")
				err := fetch(t, c, s, dir, "model.safetensors")
				if stops || tt.want == "" {
					if err != nil {
						t.Error(err)
					}
				} else if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
					t.Errorf("got %v, want …%s…", err, tt.want)
				}
				if name == "busy" && (*waits)[0] != 17*time.Second {
					t.Errorf("waited %v", *waits)
				}
				if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); (err == nil) != (stops || tt.want == "") {
					t.Errorf("the file: %v", err)
				}
			})
		}
	}
}

// A body that stalls is broken off and gone on with.
func TestDownloadStalls(t *testing.T) {
	s := server(t)
	content := s.Files["model.safetensors"]
	s.Spoil(func(w http.ResponseWriter, r *http.Request, n int, _ []byte) bool {
		if !onStorage(r) || n > 1 {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:1000])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	})
	c, waits := client(t, s, "")
	c.stall = 100 * time.Millisecond
	if err := fetch(t, c, s, t.TempDir(), "model.safetensors"); err != nil || len(*waits) != 1 {
		t.Errorf("%v after %d pauses", err, len(*waits))
	}
}

// A server whose list has no sizes and hashes states them with the file.
func TestDescribe(t *testing.T) {
	s := server(t)
	s.Info = func(i map[string]any) {
		for _, f := range i["siblings"].([]map[string]any) {
			delete(f, "size")
			delete(f, "lfs")
			delete(f, "blobId")
		}
	}
	c, _ := client(t, s, "")
	for name, content := range s.Files {
		r, err := c.Repository(t.Context(), model, "main")
		if err != nil {
			t.Fatal(err)
		}
		f, _ := r.Lookup(name)
		got, err := c.Download(t.Context(), r, f, filepath.Join(t.TempDir(), name), nil)
		if err != nil || got.Bytes != int64(len(content)) || got.SHA256 != hubtest.SHA256(content) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for want, header := range map[string]string{"no hash of it": "Content-Length", "how large it is": "Etag"} {
		s.Spoil(func(w http.ResponseWriter, r *http.Request, _ int, content []byte) bool {
			if r.Method == http.MethodHead {
				w.Header().Set(header, "7")
			}
			return r.Method == http.MethodHead
		})
		if err := fetch(t, c, s, t.TempDir(), "config.json"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", header, err)
		}
	}
	s.Spoil(func(w http.ResponseWriter, r *http.Request, _ int, content []byte) bool {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusForbidden)
		}
		return r.Method == http.MethodHead
	})
	if err := fetch(t, c, s, t.TempDir(), "config.json"); !errors.Is(err, mistake.Err) {
		t.Errorf("refused: %v", err)
	}
}

func TestDownloadStopped(t *testing.T) {
	s := server(t)
	c, _ := client(t, s, "")
	r, err := c.Repository(t.Context(), model, "main")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.Spoil(func(w http.ResponseWriter, r *http.Request, _ int, content []byte) bool {
		if onStorage(r) {
			cancel()
			breakOff(w, content, 0, 10)
		}
		return false
	})
	f, _ := r.Lookup("model.safetensors")
	if _, err := c.Download(ctx, r, f, filepath.Join(t.TempDir(), "x"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("sleep: %v", err)
	}
	if err := sleep(t.Context(), 1); err != nil {
		t.Errorf("sleep: %v", err)
	}
	s.Spoil(nil)
	if _, err := c.Download(t.Context(), r, f, filepath.Join(t.TempDir(), "no", "folder", "x"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into no folder: %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "12": 12 * time.Second, "-1": 0, "x": 0, now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	if got, want := printable("mit\x1b[31m\n"+strings.Repeat("x", 200)), "mit[31m"+strings.Repeat("x", 73); got != want {
		t.Errorf("got %q", got)
	}
	if d := cmp.Diff("", printable("")); d != "" {
		t.Error(d)
	}
}
