"""Files that lie elsewhere: HTTPS, S3 and SFTP, to fetch inputs from and send outputs to."""
