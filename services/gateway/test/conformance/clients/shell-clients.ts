/** What each client is made to do, in this order. */
export const STEPS = ['put', 'get', 'multipart', 'sync', 'list', 'copy', 'move', 'presign', 'delete'] as const;
export type Step = (typeof STEPS)[number];

/**
 * A client that is a program. Its lines are for `sh`, in a folder with small.txt, big.bin (12 MB) and a folder tree; $ENDPOINT is the gateway's
 * URL, $HOST its host and port, $TOKEN the Pachyderm token, $BUCKET and $OTHER two buckets. docs/clients.md is made of this table.
 */
export interface ShellClient {
  readonly name: string;
  /** The shortest that works. */
  readonly setUp: string;
  /** Left out where the client has nothing of the kind. */
  readonly steps: Readonly<Partial<Record<Step, string>>>;
  /** What its users should know. */
  readonly note: string;
  readonly nightly: boolean;
  /** The variable that names a certificate to be trusted, with which the nightly tests try these lines over TLS; left out: not tried. */
  readonly trusts?: 'AWS_CA_BUNDLE' | 'SSL_CERT_FILE';
  /** Of a library in a program of ours: where its set-up stands, below this folder. */
  readonly source?: string;
}

const AWS_SET_UP = `export AWS_ACCESS_KEY_ID=$TOKEN AWS_SECRET_ACCESS_KEY=$TOKEN AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL=$ENDPOINT`;

const awsSteps = (aws: string) => ({
  put: `${aws} s3 cp small.txt s3://$BUCKET/small.txt`,
  get: `${aws} s3 cp s3://$BUCKET/small.txt back.txt`,
  multipart: `${aws} s3 cp big.bin s3://$BUCKET/big.bin`,
  sync: `${aws} s3 sync tree s3://$BUCKET/tree`,
  list: `${aws} s3api list-objects-v2 --bucket $BUCKET --prefix tree/ --page-size 2 --query 'Contents[].Key' --output text`,
  copy: `${aws} s3 cp s3://$BUCKET/small.txt s3://$OTHER/copy.txt`,
  move: `${aws} s3 mv s3://$OTHER/copy.txt s3://$OTHER/moved.txt`,
  presign: `${aws} s3 presign s3://$BUCKET/small.txt`,
  delete: `${aws} s3 rm s3://$BUCKET/small.txt`,
});

/** Debian's version 2 does not know AWS_ENDPOINT_URL yet. */
const AWS_2 = '/usr/bin/aws --endpoint-url $ENDPOINT';

/** The programs of the folder go, which do what a program of its users would. */
const goSteps = (program: string) => ({
  put: `${program} put small.txt $BUCKET small.txt`,
  get: `${program} get $BUCKET small.txt back.txt`,
  multipart: `${program} put big.bin $BUCKET big.bin`,
  list: `for file in a.txt b.txt 'c d.txt' deep/er/e.txt deep/f.bin; do ${program} put "tree/$file" $BUCKET "tree/$file"; done
${program} list $BUCKET tree/`,
  copy: `${program} copy $BUCKET small.txt $OTHER copy.txt`,
  presign: `${program} presign $BUCKET small.txt`,
  delete: `${program} delete $BUCKET small.txt`,
});

export const SHELL_CLIENTS: readonly ShellClient[] = [
  {
    name: 'aws cli v1',
    setUp: AWS_SET_UP,
    steps: awsSteps('aws'),
    note: '',
    nightly: true,
    trusts: 'AWS_CA_BUNDLE',
  },
  {
    name: 'aws cli v2',
    setUp: 'export AWS_ACCESS_KEY_ID=$TOKEN AWS_SECRET_ACCESS_KEY=$TOKEN AWS_DEFAULT_REGION=us-east-1',
    steps: awsSteps(AWS_2),
    note: 'From 2.13 on `AWS_ENDPOINT_URL` stands for `--endpoint-url`.',
    nightly: true,
    trusts: 'AWS_CA_BUNDLE',
  },
  {
    name: 'rclone',
    setUp: `export RCLONE_S3_PROVIDER=Other RCLONE_S3_ENDPOINT=$ENDPOINT
export RCLONE_S3_ACCESS_KEY_ID=$TOKEN RCLONE_S3_SECRET_ACCESS_KEY=$TOKEN`,
    steps: {
      put: 'rclone copyto small.txt :s3:$BUCKET/small.txt',
      get: 'rclone copyto :s3:$BUCKET/small.txt back.txt',
      multipart: 'rclone copyto --s3-upload-cutoff 5M --s3-chunk-size 5M big.bin :s3:$BUCKET/big.bin',
      sync: 'rclone sync --size-only tree :s3:$BUCKET/tree',
      list: 'rclone lsf -R --files-only --s3-list-chunk 2 :s3:$BUCKET/tree',
      copy: 'rclone copyto :s3:$BUCKET/small.txt :s3:$OTHER/copy.txt',
      move: 'rclone moveto :s3:$OTHER/copy.txt :s3:$OTHER/moved.txt',
      presign: 'rclone link :s3:$BUCKET/small.txt',
      delete: 'rclone deletefile :s3:$BUCKET/small.txt',
    },
    note: 'Sync with `--size-only`: it keeps the time of a file in metadata, which tusk does not keep.',
    nightly: false,
    trusts: 'SSL_CERT_FILE',
  },
  {
    name: 's3cmd',
    setUp: `cat > ~/.s3cfg <<END
[default]
access_key = $TOKEN
secret_key = $TOKEN
host_base = $HOST
host_bucket = $HOST
use_https = False
END`,
    steps: {
      put: 's3cmd put small.txt s3://$BUCKET/small.txt',
      get: 's3cmd get s3://$BUCKET/small.txt back.txt',
      multipart: 's3cmd put --multipart-chunk-size-mb=5 big.bin s3://$BUCKET/big.bin',
      sync: 's3cmd sync --no-check-md5 tree/ s3://$BUCKET/tree/',
      list: 's3cmd ls -r s3://$BUCKET/tree/',
      copy: 's3cmd cp s3://$BUCKET/small.txt s3://$OTHER/copy.txt',
      move: 's3cmd mv s3://$OTHER/copy.txt s3://$OTHER/moved.txt',
      presign: 's3cmd signurl s3://$BUCKET/small.txt +60',
      delete: 's3cmd del s3://$BUCKET/small.txt',
    },
    note: 'Sync with `--no-check-md5`: an ETag is no MD5.',
    nightly: false,
  },
  {
    name: 'mc',
    setUp: 'export MC_HOST_tusk=http://$TOKEN:$TOKEN@$HOST',
    steps: {
      put: 'mc cp small.txt tusk/$BUCKET/small.txt',
      get: 'mc cp tusk/$BUCKET/small.txt back.txt',
      multipart: 'mc put --part-size 5MiB big.bin tusk/$BUCKET/big.bin',
      sync: 'mc mirror tree tusk/$BUCKET/tree',
      list: 'mc ls -r tusk/$BUCKET/tree',
      copy: 'mc cp tusk/$BUCKET/small.txt tusk/$OTHER/copy.txt',
      move: 'mc mv tusk/$OTHER/copy.txt tusk/$OTHER/moved.txt',
      presign: `mc share download --json tusk/$BUCKET/small.txt | sed -n 's/.*"share": *"\\([^"]*\\)".*/\\1/p'`,
      delete: 'mc rm tusk/$BUCKET/small.txt',
    },
    note: '',
    nightly: true,
  },
  {
    name: 'aws-sdk-go-v2',
    setUp: `export AWS_ACCESS_KEY_ID=$TOKEN AWS_SECRET_ACCESS_KEY=$TOKEN AWS_REGION=us-east-1
export AWS_ENDPOINT_URL=$ENDPOINT`,
    steps: goSteps('go-aws-sdk'),
    note: '',
    source: 'go/go-aws-sdk/main.go',
    nightly: true,
    trusts: 'AWS_CA_BUNDLE',
  },
  {
    name: 'minio-go',
    setUp: 'export HOST TOKEN',
    steps: goSteps('go-minio'),
    note: '',
    source: 'go/go-minio/main.go',
    nightly: true,
  },
];
