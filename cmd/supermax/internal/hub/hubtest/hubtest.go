// Package hubtest is a server that answers as the model hub does, for tests: large files lie
// on a second host that it redirects to, and it can be told to misbehave.
package hubtest

import (
	"bytes"
	"crypto/sha1" // as git names a blob
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Commit is the commit of every repository.
const Commit = "0123456789abcdef0123456789abcdef01234567"

// A Server holds one repository.
type Server struct {
	URL   string
	Name  string            // the repository's
	Files map[string][]byte // files whose names end in .safetensors or .bin are large
	Token string            // without which it answers 401; empty: none is needed
	// Info may change the description before it is sent.
	Info func(map[string]any)

	mu       sync.Mutex
	spoil    Spoiler
	seen     map[string]int
	requests []*http.Request
	storage  string // URL of the second host
}

// A Spoiler may answer a request itself and return true. n counts the requests for that path,
// from 1, and content is what the path is of (nil: the description).
type Spoiler func(w http.ResponseWriter, r *http.Request, n int, content []byte) bool

// Spoil has f asked before each request that comes from now on; nil: none. Another process may be
// asking already.
func (s *Server) Spoil(f Spoiler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoil = f
}

func (s *Server) spoiled(w http.ResponseWriter, r *http.Request, n int, content []byte) bool {
	s.mu.Lock()
	f := s.spoil
	s.mu.Unlock()
	return f != nil && f(w, r, n, content)
}

// New starts a server with a repository; both hosts end with the test.
func New(t testing.TB, name string, files map[string][]byte) *Server {
	t.Helper()
	s := &Server{Name: name, Files: files, seen: map[string]int{}}
	hub := httptest.NewServer(http.HandlerFunc(s.hub))
	storage := httptest.NewServer(http.HandlerFunc(s.store))
	t.Cleanup(func() { storage.Close(); hub.Close() })
	s.URL, s.storage = hub.URL, storage.URL
	return s
}

// Requests returns what came so far to either host, in order.
func (s *Server) Requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// note counts a request.
func (s *Server) note(r *http.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	s.seen[r.Host+r.Method+r.URL.Path]++
	return s.seen[r.Host+r.Method+r.URL.Path]
}

func large(name string) bool {
	return strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".bin")
}

// hub describes the repository, sends small files and redirects to the large ones.
func (s *Server) hub(w http.ResponseWriter, r *http.Request) {
	n := s.note(r)
	name := strings.TrimPrefix(r.URL.Path, "/"+s.Name+"/resolve/"+Commit+"/")
	content, isFile := s.Files[name]
	if s.spoiled(w, r, n, content) {
		return
	}
	switch {
	case s.Token != "" && r.Header.Get("Authorization") != "Bearer "+s.Token:
		w.WriteHeader(http.StatusUnauthorized)
	case strings.HasPrefix(r.URL.Path, "/api/models/"+s.Name+"/revision/"):
		s.describe(w)
	case !isFile:
		http.NotFound(w, r)
	case large(name):
		w.Header().Set("X-Repo-Commit", Commit)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
		w.Header().Set("X-Linked-ETag", `"`+SHA256(content)+`"`)
		http.Redirect(w, r, s.storage+"/"+name+"?signature=secret", http.StatusFound)
	default:
		w.Header().Set("ETag", `"`+GitSHA(content)+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// store sends large files.
func (s *Server) store(w http.ResponseWriter, r *http.Request) {
	n := s.note(r)
	content, ok := s.Files[strings.TrimPrefix(r.URL.Path, "/")]
	if s.spoiled(w, r, n, content) {
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", `"`+SHA256(content)[:16]+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func (s *Server) describe(w http.ResponseWriter) {
	var siblings []map[string]any
	for name, content := range s.Files {
		f := map[string]any{"rfilename": name, "size": len(content), "blobId": GitSHA(content)}
		if large(name) {
			f["lfs"] = map[string]any{"sha256": SHA256(content), "size": len(content), "pointerSize": 134}
		}
		siblings = append(siblings, f)
	}
	info := map[string]any{"id": s.Name, "sha": Commit, "tags": []string{"pytorch", "license:apache-2.0"}, "siblings": siblings}
	if s.Info != nil {
		s.Info(info)
	}
	_ = json.NewEncoder(w).Encode(info)
}

// SHA256 is a file's hash in hexadecimal.
func SHA256(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// GitSHA is the SHA-1 of a file as a git blob.
func GitSHA(content []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(content)), content...))
	return hex.EncodeToString(sum[:])
}
