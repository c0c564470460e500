package bundle

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// newFolder is a bundle with this repository's quickstart, its corpus, and two folders in
// the place of its backbones.
func newFolder(t *testing.T) Folder {
	t.Helper()
	f := Folder{Dir: t.TempDir()}
	var err error
	if f.Data, err = objects.Open(t.Context(), objects.FileURL(t.TempDir())); err != nil {
		t.Fatal(err)
	}
	copied := func(to string, from ...string) {
		for _, path := range from {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(f.Dir, to, filepath.Base(path)), string(data))
		}
	}
	corpus, err := filepath.Glob("../../data/sample/groundtruth/*.csv")
	if err != nil {
		t.Fatal(err)
	}
	copied("configs/study", "../../configs/study/quickstart.yaml")
	copied("data/sample/groundtruth", corpus...)
	for _, name := range []string{"tiny-48", "tiny-64"} {
		for _, file := range []string{"config.json", "model.safetensors", "vocab.txt"} {
			write(t, filepath.Join(f.Dir, "models", name, file), name+" "+file)
		}
	}
	return f
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestUpload(t *testing.T) {
	f := newFolder(t)
	s, err := f.Study("quickstart")
	if err != nil || s == nil || s.Name != "quickstart" || s.Corpus.Dir != filepath.Join(f.Dir, "data/sample/groundtruth") {
		t.Fatalf("Study = %+v, %v", s, err)
	}
	local := s.Models["tiny-48"]
	there, err := f.Upload(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if s.Models["tiny-48"] != local {
		t.Error("Upload changed the study that it was given")
	}
	var want []string
	for dir, files := range map[string][]string{
		there.Corpus.Dir:        {"criteria.csv", "evidence.csv", "groundtruth.csv", "posts.csv", dataref.ManifestName},
		there.Models["tiny-48"]: {"config.json", "model.safetensors", "vocab.txt", dataref.ManifestName},
		there.Models["tiny-64"]: {"config.json", "model.safetensors", "vocab.txt", dataref.ManifestName},
	} {
		key, ok := strings.CutPrefix(dir, f.Data.URL()+"/")
		if !ok || !strings.HasSuffix(key, "/") {
			t.Fatalf("%s is no place in %s", dir, f.Data.URL())
		}
		for _, file := range files {
			want = append(want, key+file)
		}
	}
	slices.Sort(want)
	got, err := f.Data.List(t.Context(), "")
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("objects: %v, -want +got\n%s", err, d)
	}
	data, err := there.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.FromJSON(data); err != nil {
		t.Errorf("the definition cannot be read: %v", err)
	}
	// A cache brings back what was there.
	dir, err := (&dataref.Cache{Dir: t.TempDir()}).Folder(t.Context(), there.Models["tiny-64"])
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "vocab.txt")); err != nil || string(text) != "tiny-64 vocab.txt" {
		t.Errorf("vocab.txt is %q, %v", text, err)
	}
	again, err := f.Upload(t.Context(), s)
	if d := cmp.Diff(there.Models, again.Models); err != nil || d != "" || again.Corpus.Dir != there.Corpus.Dir {
		t.Errorf("uploaded again: %v %s", err, d)
	}
}

// `supermax run FILE --aws` uploads the files of a corpus and a backbone that they need. A
// bundle holds just those, so that the same study has the same places either way.
func TestFilesAreThoseOfTheCommand(t *testing.T) {
	f := newFolder(t)
	corpus, backbone := filepath.Join(f.Dir, "data/sample/groundtruth"), filepath.Join(f.Dir, "models/tiny-48")
	for dir, files := range map[string]func() ([]string, error){
		corpus:   func() ([]string, error) { return dataset.Files(corpus, "groundtruth") },
		backbone: func() ([]string, error) { return pretrained.Files(backbone) },
	} {
		want, err := files()
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", dir, d)
		}
	}
}

func TestStudyThatIsNotThere(t *testing.T) {
	f := newFolder(t)
	write(t, filepath.Join(f.Dir, "secret.yaml"), "version: 1")
	for _, name := range []string{"other", "", "..", "../../secret", "quickstart.yaml", "a/b", strings.Repeat("a", 300)} {
		if s, err := f.Study(name); s != nil || err != nil {
			t.Errorf("Study(%.20q) = %v, %v", name, s, err)
		}
	}
	if s, err := (Folder{Dir: filepath.Join(f.Dir, "none")}).Study("quickstart"); s != nil || err != nil {
		t.Errorf("Study without a folder = %v, %v", s, err)
	}
	write(t, filepath.Join(f.Dir, "configs/study/broken.yaml"), "version: 2")
	if s, err := f.Study("broken"); s != nil || err == nil || !strings.Contains(err.Error(), "read the bundled study broken: ") {
		t.Errorf("Study of a broken file = %v, %v", s, err)
	}
}

func TestUploadErrors(t *testing.T) {
	f := newFolder(t)
	s, err := f.Study("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(f.Dir, "models", "tiny-64")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Upload(t.Context(), s); err == nil || !strings.Contains(err.Error(), "tiny-64") {
		t.Errorf("Upload without a backbone = %v", err)
	}
	s.Corpus.Dir = filepath.Join(f.Dir, "none")
	if _, err := f.Upload(t.Context(), s); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("Upload without a corpus = %v", err)
	}
}
