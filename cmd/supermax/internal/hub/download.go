package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// Suffixes of what stands beside a file until it is whole.
const (
	partSuffix = ".part"
	etagSuffix = ".part.etag" // of the content that the part is of
)

// errWrongHash says that all bytes came and are not the file's.
var errWrongHash = errors.New("its bytes are not those that the hub's hash is of")

// Download brings one file to path. It appears there when it is whole and its size and hash
// are those that the repository states; until then its bytes stand beside it, and the same
// call goes on with them. It returns what the file is, with its SHA-256. progress is told of
// bytes that came; it may be nil.
func (c *Client) Download(ctx context.Context, r *Repository, f File, path string, progress func(n int64)) (File, error) {
	if progress == nil {
		progress = func(int64) {}
	}
	d := &download{client: c, repository: r, file: f, path: path, progress: progress}
	progress(d.have())
	wrong := 0
	err := c.persist(ctx, func() (bool, error) {
		before := d.have()
		err := d.attempt(ctx)
		if errors.Is(err, errWrongHash) {
			if wrong++; wrong > 1 {
				err = final{err}
			}
			return false, err
		}
		return d.have() > before, err
	})
	if err != nil {
		return File{}, fmt.Errorf("fetch %s of %s: %w", f.Name, r.Name, err)
	}
	return d.file, nil
}

// A download is one file on its way.
type download struct {
	client     *Client
	repository *Repository
	file       File
	path       string
	progress   func(n int64)
}

// have is how many bytes stand beside the file.
func (d *download) have() int64 {
	info, err := os.Stat(d.path + partSuffix)
	if err != nil {
		return 0
	}
	return info.Size()
}

// attempt goes on with what is there, and takes the whole file to its place.
func (d *download) attempt(ctx context.Context) error {
	if d.file.Bytes < 0 || d.file.SHA256 == "" && d.file.GitSHA == "" {
		if err := d.describe(ctx); err != nil {
			return err
		}
	}
	switch err := d.verify(d.path); { // brought by a call before
	case err == nil:
		d.progress(d.file.Bytes - d.have())
		return d.forget()
	case errors.Is(err, errWrongHash):
		if err := os.Remove(d.path); err != nil {
			return final{err}
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := d.fetch(ctx); err != nil {
		return err
	}
	if err := d.verify(d.path + partSuffix); err != nil {
		return errors.Join(err, d.restart(d.have()))
	}
	if err := os.Rename(d.path+partSuffix, d.path); err != nil {
		return final{err}
	}
	return d.forget()
}

// forget removes what stands beside the file.
func (d *download) forget() error {
	for _, suffix := range []string{partSuffix, etagSuffix} {
		if err := os.Remove(d.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return final{err}
		}
	}
	return nil
}

// describe asks for the size and the hash that the repository's list did not have.
func (d *download) describe(ctx context.Context) error {
	c := d.client
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.place(d.repository, d.file.Name).String(), nil)
	if err != nil {
		return final{err}
	}
	only := *c.http
	only.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // its own head says it
	resp, err := only.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	_ = resp.Body.Close() // a HEAD has none
	if resp.StatusCode >= 400 {
		return refusal(resp)
	}
	size, etag := resp.Header.Get("X-Linked-Size"), resp.Header.Get("X-Linked-Etag")
	if size == "" && resp.StatusCode == http.StatusOK {
		size = resp.Header.Get("Content-Length")
	}
	if etag == "" {
		etag = resp.Header.Get("Etag")
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 {
		return final{errors.New("the server does not say how large it is")}
	}
	d.file.Bytes = n
	switch etag = strings.Trim(strings.TrimPrefix(etag, "W/"), `"`); {
	case sha256Form.MatchString(etag):
		d.file.SHA256 = etag
	case commitForm.MatchString(etag):
		d.file.GitSHA = etag
	default:
		return final{errors.New("the server states no hash of it, so that nothing could be checked")}
	}
	return nil
}

// place is where a file lies at the repository's commit.
func (c *Client) place(r *Repository, name string) *url.URL {
	return c.endpoint.JoinPath(r.Name, "resolve", r.Commit, name)
}

// fetch brings the bytes that are not there yet.
func (d *download) fetch(ctx context.Context) error {
	have := d.have()
	if have > d.file.Bytes {
		if err := d.restart(have); err != nil {
			return err
		}
		have = 0
	}
	if have == d.file.Bytes && have > 0 {
		return nil
	}
	header := http.Header{}
	if have > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if etag, err := os.ReadFile(d.path + etagSuffix); err == nil && len(etag) > 0 {
			header.Set("If-Range", string(etag))
		}
	}
	resp, err := d.client.get(ctx, d.client.place(d.repository, d.file.Name), header)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // what it held is checked by its hash
	switch resp.StatusCode {
	case http.StatusOK:
		d.progress(-have)
		have = 0
	case http.StatusPartialContent:
		if want := fmt.Sprintf("bytes %d-%d/%d", have, d.file.Bytes-1, d.file.Bytes); resp.Header.Get("Content-Range") != want {
			return errors.Join(fmt.Errorf("the server sends %.80q where %q was asked for", resp.Header.Get("Content-Range"), want), d.restart(have))
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(errors.New("the server does not have the rest of what came before"), d.restart(have))
	default:
		return refusal(resp)
	}
	if n := resp.ContentLength; n >= 0 && n != d.file.Bytes-have {
		return fmt.Errorf("the server sends %d bytes where the hub's list says %d", n, d.file.Bytes-have)
	}
	if etag := resp.Header.Get("Etag"); etag != "" && !strings.HasPrefix(etag, "W/") && len(etag) < 256 {
		if err := os.WriteFile(d.path+etagSuffix, []byte(etag), 0o600); err != nil {
			return final{err}
		}
	}
	return d.receive(resp.Body, have)
}

// restart gives up the bytes that came.
func (d *download) restart(have int64) error {
	d.progress(-have)
	return d.forget()
}

// receive writes a body behind the bytes that are there.
func (d *download) receive(body io.Reader, have int64) error {
	out, err := os.OpenFile(d.path+partSuffix, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return final{err}
	}
	defer func() { _ = out.Close() }() // closed below with its error
	if err := out.Truncate(have); err != nil {
		return final{err}
	}
	if _, err := out.Seek(have, io.SeekStart); err != nil {
		return final{err}
	}
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		if int64(n) > d.file.Bytes-have {
			return errors.Join(fmt.Errorf("the server sends more than the %d bytes that the hub's list says", d.file.Bytes), d.restart(have))
		}
		if n > 0 {
			if _, err := out.Write(buffer[:n]); err != nil {
				return final{err}
			}
			have += int64(n)
			d.progress(int64(n))
		}
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("broken off at byte %d of %d: %w", have, d.file.Bytes, err)
		case err != nil && have < d.file.Bytes:
			return fmt.Errorf("broken off at byte %d of %d", have, d.file.Bytes)
		case err != nil:
			if err := out.Sync(); err != nil {
				return final{err}
			}
			return out.Close()
		}
	}
}

// verify compares a file's size and hash with those stated, and notes its SHA-256.
func (d *download) verify(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return final{err}
	}
	defer func() { _ = in.Close() }() // opened for reading only
	sum := sha256.New()
	git := sha1.New() // as git names a blob
	fmt.Fprintf(git, "blob %d\x00", d.file.Bytes)
	n, err := io.Copy(io.MultiWriter(sum, git), in)
	if err != nil {
		return final{err}
	}
	hexadecimal := func(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
	if n != d.file.Bytes || d.file.SHA256 != "" && d.file.SHA256 != hexadecimal(sum) ||
		d.file.SHA256 == "" && (d.file.GitSHA == "" || d.file.GitSHA != hexadecimal(git)) {
		return errWrongHash
	}
	d.file.SHA256 = hexadecimal(sum)
	return nil
}
