//! Certificates for one test: made on the spot, so that none in the tree can expire.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};

/// An authority that signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Certificate {
    /// The certificate in DER.
    pub(crate) der: Vec<u8>,
    /// Its private key in DER.
    pub(crate) key: Vec<u8>,
    /// The certificate in PEM.
    pub(crate) pem: String,
    /// Its private key in PEM.
    pub(crate) key_pem: String,
}

/// What a certificate says of itself; good for servers and clients, now and for centuries, unless changed.
pub(crate) struct Wanted(CertificateParams);

impl Wanted {
    /// One for these names or addresses.
    pub(crate) fn names(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "made for a test");
        Self(params)
    }

    /// Ends with the 2nd of February 2001.
    pub(crate) fn expired(mut self) -> Self {
        self.0.not_before = date_time_ymd(2000, 1, 1);
        self.0.not_after = date_time_ymd(2001, 2, 3);
        self
    }

    /// Begins with the year 3000.
    pub(crate) fn not_yet(mut self) -> Self {
        self.0.not_before = date_time_ymd(3000, 1, 1);
        self
    }

    /// Good for clients only.
    pub(crate) fn for_clients(mut self) -> Self {
        self.0.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self
    }

    /// Marked as an authority, as `openssl req -x509` does.
    pub(crate) fn marked_as_authority(mut self) -> Self {
        self.0.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self
    }

    /// Signed by its own key.
    pub(crate) fn self_signed(&self) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let certificate = self.0.self_signed(&key).unwrap();
        Certificate::of(&certificate, &key)
    }
}

impl Certificate {
    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            der: certificate.der().to_vec(),
            key: key.serialize_der(),
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

impl Authority {
    /// One of this name; another of the same name has another key.
    pub(crate) fn new(name: &str) -> Self {
        let Wanted(mut params) = Wanted::names(&[]).marked_as_authority();
        params.distinguished_name.push(DnType::OrganizationName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Signs a certificate.
    pub(crate) fn issue(&self, wanted: &Wanted) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let certificate = wanted.0.signed_by(&key, &self.0).unwrap();
        Certificate::of(&certificate, &key)
    }

    /// Its own certificate, in DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }
    /// Its own certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }
}
