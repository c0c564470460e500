// Package hub fetches checkpoints from the model hub, or from a server that answers as it
// does: the list of a repository's files at one commit, and the files, each checked by size
// and hash. What broke off goes on where it was.
//
// Interface: https://huggingface.co/docs/hub/api and the headers of its /resolve/ pages.
package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

// DefaultEndpoint is the hub itself.
const DefaultEndpoint = "https://huggingface.co"

// maxInfo bounds the description of a repository.
const maxInfo = 32 << 20

// A Client speaks to one server. Its methods may be called from many goroutines at once.
type Client struct {
	endpoint *url.URL
	http     *http.Client
	pause    func(ctx context.Context, d time.Duration) error // between attempts
	stall    time.Duration                                    // without a byte after which a request is broken off
}

// New returns a client for the server at endpoint ("": the hub), which must be HTTPS unless
// it is on this machine. The token ("": none) is sent to that server alone, whatever it
// redirects to, and is in no error.
func New(endpoint, token string) (*Client, error) {
	if endpoint == "" {
		endpoint = DefaultEndpoint
	}
	u, err := url.Parse(strings.TrimRight(endpoint, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !safe(u) {
		return nil, mistake.Errorf("HF_ENDPOINT %.200q is not allowed; it must be https://host, or http:// to this machine", endpoint)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, mistake.Errorf("HF_TOKEN holds a space, a line end or another character that no token has")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	transport.DisableCompression = true // lengths are those of the files
	return &Client{
		endpoint: u,
		http: &http.Client{
			Transport: &authorized{base: transport, endpoint: u, token: token},
			CheckRedirect: func(req *http.Request, via []*http.Request) error {
				if len(via) > 10 {
					return errors.New("more than 10 redirects")
				}
				if !safe(req.URL) {
					return fmt.Errorf("it redirects to %s, which is not HTTPS", req.URL.Host)
				}
				return nil
			},
		},
		pause: sleep,
		stall: time.Minute,
	}, nil
}

// safe reports whether what is sent to u can be read by nobody on the way.
func safe(u *url.URL) bool {
	if u.Scheme == "http" {
		ip := net.ParseIP(u.Hostname())
		return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	}
	return u.Scheme == "https"
}

// authorized adds the token to requests to the endpoint, and to no other.
type authorized struct {
	base     http.RoundTripper
	endpoint *url.URL
	token    string
}

// RoundTrip implements [http.RoundTripper].
func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", "supermax")
	req.Header.Del("Authorization")
	req.Header.Del("Referer")
	if a.token != "" && req.URL.Scheme == a.endpoint.Scheme && req.URL.Host == a.endpoint.Host {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	return a.base.RoundTrip(req)
}

// A Repository is what the server says of one at one commit.
type Repository struct {
	Name    string // as the server calls it now
	Commit  string // 40 hexadecimal digits
	License string // by its tag; empty: none is named
	Files   []File
}

// A File is one file of a repository.
type File struct {
	Name   string
	Bytes  int64  // -1: not said
	SHA256 string // of files in large-file storage; empty: not said
	GitSHA string // SHA-1 of the git blob, for all others; empty: not said
}

// Lookup returns the file of that name.
func (r *Repository) Lookup(name string) (File, bool) {
	i := slices.IndexFunc(r.Files, func(f File) bool { return f.Name == name })
	if i < 0 {
		return File{}, false
	}
	return r.Files[i], true
}

var (
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$`)
	revisionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$`)
	commitForm   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sha256Form   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// CheckName refuses what is no repository's name.
func CheckName(name string) error {
	if !nameForm.MatchString(name) || strings.Contains(name, "..") {
		return mistake.Errorf("%.200q is no name of a model on the hub; allowed: name or owner/name, of letters, digits, '.', '_' and '-'", name)
	}
	return nil
}

// Repository describes a repository at a revision: a branch, a tag or a commit.
func (c *Client) Repository(ctx context.Context, name, revision string) (*Repository, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if !revisionForm.MatchString(revision) || strings.Contains(revision, "..") {
		return nil, mistake.Errorf("%.200q is no revision; allowed: a branch, a tag or a commit", revision)
	}
	u := c.endpoint.JoinPath("api", "models", name, "revision", url.PathEscape(revision))
	u.RawQuery = "blobs=true"
	var data []byte
	err := c.persist(ctx, func() (bool, error) {
		resp, err := c.get(ctx, u, nil)
		if err != nil {
			return false, err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return false, refusal(resp)
		}
		data, err = io.ReadAll(io.LimitReader(resp.Body, maxInfo+1))
		return false, err
	})
	if err != nil {
		return nil, fmt.Errorf("look for %s at revision %s on %s: %w", name, revision, c.endpoint.Host, err)
	}
	r, err := readInfo(data)
	if err != nil {
		return nil, fmt.Errorf("look for %s on %s: %w", name, c.endpoint.Host, err)
	}
	return r, nil
}

// readInfo reads a repository's description. Whoever wrote it is not trusted.
func readInfo(data []byte) (*Repository, error) {
	if len(data) > maxInfo {
		return nil, fmt.Errorf("its description has more than %d bytes", maxInfo)
	}
	var info struct {
		ID       string   `json:"id"`
		SHA      string   `json:"sha"`
		Tags     []string `json:"tags"`
		Siblings []struct {
			Name   string `json:"rfilename"`
			Size   *int64 `json:"size"`
			BlobID string `json:"blobId"`
			LFS    *struct {
				SHA256 string `json:"sha256"`
				Size   *int64 `json:"size"`
			} `json:"lfs"`
		} `json:"siblings"`
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return nil, errors.New("its answer is not the description of a model")
	}
	if !commitForm.MatchString(info.SHA) || CheckName(info.ID) != nil {
		return nil, fmt.Errorf("its answer names the model %.100q at commit %.60q, which cannot be", info.ID, info.SHA)
	}
	r := &Repository{Name: info.ID, Commit: info.SHA}
	for _, tag := range info.Tags {
		if license, ok := strings.CutPrefix(tag, "license:"); ok {
			r.License = printable(license)
		}
	}
	for _, s := range info.Siblings {
		f := File{Name: s.Name, Bytes: -1}
		if s.Size != nil {
			f.Bytes = *s.Size
		}
		switch {
		case s.LFS != nil:
			f.SHA256 = s.LFS.SHA256
			if s.LFS.Size != nil {
				f.Bytes = *s.LFS.Size
			}
		default:
			f.GitSHA = s.BlobID
		}
		if f.SHA256 != "" && !sha256Form.MatchString(f.SHA256) || f.GitSHA != "" && !commitForm.MatchString(f.GitSHA) || f.Bytes < -1 {
			return nil, fmt.Errorf("its answer describes the file %.100q wrongly", f.Name)
		}
		r.Files = append(r.Files, f)
	}
	return r, nil
}

// printable keeps what a terminal can show in one line.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r > 0xffff {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 80)]
}
