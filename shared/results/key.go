package results

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// A FileID says which attempt's rung a metrics file holds.
type FileID struct {
	Study   string
	Stage   protocol.Stage
	Trial   int
	Rung    int
	Attempt int
}

// StudyPrefix returns what the keys of a study's metrics files start with.
func StudyPrefix(study string) string { return fmt.Sprintf("metrics/study=%s/", study) }

// Prefix returns what the keys of a stage's metrics files start with.
func Prefix(study string, stage protocol.Stage) string {
	return fmt.Sprintf("%sstage=%s/", StudyPrefix(study), stage)
}

// Key returns the key of a metrics file, metrics/study=s/stage=A/trial=000012-rung=1-attempt=0.parquet.
func Key(study string, stage protocol.Stage, trial, rung, attempt int) string {
	return fmt.Sprintf("%strial=%06d-rung=%d-attempt=%d.parquet", Prefix(study, stage), trial, rung, attempt)
}

// Key returns the file's key.
func (f FileID) Key() string { return Key(f.Study, f.Stage, f.Trial, f.Rung, f.Attempt) }

var keyForm = regexp.MustCompile(
	`^metrics/study=([A-Za-z0-9][A-Za-z0-9._-]{0,63})/stage=([ABC])/trial=(\d{6,9})-rung=(\d{1,9})-attempt=(\d{1,9})\.parquet$`)

// ParseKey is the inverse of [Key]. It fails for a key that Key does not write.
func ParseKey(key string) (FileID, error) {
	m := keyForm.FindStringSubmatch(key)
	if m == nil {
		return FileID{}, fmt.Errorf("%.200q is not the key of a metrics file", key)
	}
	f := FileID{Study: m[1], Stage: protocol.Stage(m[2])}
	for i, to := range []*int{&f.Trial, &f.Rung, &f.Attempt} {
		*to, _ = strconv.Atoi(m[3+i]) // nine digits at most
	}
	if f.Key() != key {
		return FileID{}, fmt.Errorf("%q is not the key of a metrics file: its number should read %s", key, f.Key())
	}
	return f, nil
}
