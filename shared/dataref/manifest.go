// Package dataref moves corpora and backbones between folders and a bucket. In the bucket
// each lies below its kind and the SHA-256 of its manifest, which names its files with
// their sizes and SHA-256: a location says what is there, so it is never written over, an
// upload skips what is there already, and a machine keeps one copy for all its slots.
package dataref

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ManifestName is the file that names the others. It is written last.
const ManifestName = "manifest.json"

const (
	manifestVersion  = 1
	maxManifestBytes = 1 << 20
	maxFiles         = 1000
	maxBytes         = 64 << 30 // of all files together; a large backbone has 1.5 GB
)

// A File is one file of a corpus or a backbone.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal, of the content
}

// manifest names the files in their names' order.
type manifest struct {
	SchemaVersion int    `json:"schema_version"`
	Files         []File `json:"files"`
}

var (
	fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	sumForm  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// encode returns the manifest's only form, and its address.
func (m manifest) encode() (data []byte, sum string, err error) {
	if err := m.check(); err != nil {
		return nil, "", err
	}
	data, err = json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, "", err
	}
	data = append(data, '\n')
	return data, address(data), nil
}

// address is the hexadecimal SHA-256 of a manifest.
func address(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// readManifest reads what encode wrote. Whoever wrote it is not trusted.
func readManifest(data []byte) (manifest, error) {
	var m manifest
	if len(data) > maxManifestBytes {
		return m, fmt.Errorf("it has %d bytes; at most %d are allowed", len(data), maxManifestBytes)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return manifest{}, errors.New("it is not a manifest of this version of supermax")
	}
	if err := m.check(); err != nil {
		return manifest{}, err
	}
	if again, _, err := m.encode(); err != nil || !bytes.Equal(again, data) {
		return manifest{}, errors.New("it is not in the form that supermax writes")
	}
	return m, nil
}

// check refuses names that lead elsewhere or mean one file on some disks, and sizes that
// nobody needs.
func (m manifest) check() error {
	if m.SchemaVersion != manifestVersion {
		return fmt.Errorf("it has schema_version %d; allowed: %d", m.SchemaVersion, manifestVersion)
	}
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return fmt.Errorf("it names %d files; allowed: 1 to %d", len(m.Files), maxFiles)
	}
	seen := map[string]bool{}
	var total int64
	for _, f := range m.Files {
		folded := strings.ToLower(f.Name)
		switch {
		case !fileName.MatchString(f.Name) || folded == ManifestName:
			return fmt.Errorf("the file name %.140q is not allowed; allowed: letters, digits, '.', '_' and '-', at most 128, not %s", f.Name, ManifestName)
		case seen[folded]:
			return fmt.Errorf("the file %s is there twice", f.Name)
		case f.Bytes < 0 || f.Bytes > maxBytes-total:
			return fmt.Errorf("the files have more than %d bytes, or less than none, at %s", int64(maxBytes), f.Name)
		case !sumForm.MatchString(f.SHA256):
			return fmt.Errorf("the sha256 of %s is not 64 hexadecimal digits", f.Name)
		}
		seen[folded] = true
		total += f.Bytes
	}
	if !slices.IsSortedFunc(m.Files, byName) {
		return errors.New("its files are not in the order of their names")
	}
	return nil
}

func byName(a, b File) int { return strings.Compare(a.Name, b.Name) }

// bytes is the size of all files.
func (m manifest) bytes() int64 {
	var n int64
	for _, f := range m.Files {
		n += f.Bytes
	}
	return n
}
