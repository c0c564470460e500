package modelstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/supermax-hpo/supermax/shared/wholefile"
)

// OriginFile lies beside a backbone that came from the hub and says exactly from where.
const OriginFile = "supermax-hub.json"

// originVersion is its schema.
const originVersion = 1

// Origin is where a backbone came from.
type Origin struct {
	SchemaVersion int          `json:"schema_version"`
	Endpoint      string       `json:"endpoint"`
	Repository    string       `json:"repository"`
	Revision      string       `json:"revision"` // that was asked for
	Commit        string       `json:"commit"`
	License       string       `json:"license"` // by the repository's tag; empty: none is named
	Files         []OriginFact `json:"files"`   // empty while it is on its way
}

// OriginFact is one file as it came and was checked.
type OriginFact struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// sameCommit reports whether both are of one state of one repository.
func (o *Origin) sameCommit(p *Origin) bool {
	return o.Endpoint == p.Endpoint && o.Repository == p.Repository && o.Commit == p.Commit
}

func (o *Origin) write(dir string) error {
	data, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, OriginFile), append(data, '\n'), 0o644)
}

// readOrigin returns nil where there is no record.
func readOrigin(dir string) (*Origin, error) {
	path := filepath.Join(dir, OriginFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o := new(Origin)
	if err := json.Unmarshal(data, o); err != nil {
		return nil, fmt.Errorf("read %s: it is not the record of a download", path)
	}
	if o.SchemaVersion != originVersion {
		return nil, fmt.Errorf("read %s: schema_version is %d, this supermax reads %d", path, o.SchemaVersion, originVersion)
	}
	return o, nil
}
